"""Every spec's network written by hand in PyTorch, independently of the compiler.

Names follow the rule that the specs rely on: labels name attributes, everything else is numbered as nn.Sequential numbers it.
"""

import torch
import torchvision
from torch import nn

S = nn.Sequential


def conv(i, o, k, s=1, p=0, bias=True):
    return nn.Conv2d(i, o, k, stride=s, padding=p, bias=bias)


def gap():
    return nn.AdaptiveAvgPool2d(1)


# ── LeNet and its relatives ──────────────────────────────────────────────────────────────────────────────────────────


def lenet(channels, activation, pool, padding=0, between=True, size=400):
    def step(i, o, p):
        layers = [conv(i, o, 5, p=p)]
        if between:
            layers.append(activation())
        return layers + [pool(2)]

    head = activation if between else nn.ReLU
    return S(*step(channels, 6, padding), *step(6, 16, 0), nn.Flatten(),
             nn.Linear(size, 120), head(), nn.Linear(120, 84), head(), nn.Linear(84, 10))


def convnet():
    return S(conv(1, 8, 3, p=1), nn.ReLU(), nn.MaxPool2d(2), conv(8, 16, 3, p=1), nn.ReLU(), nn.MaxPool2d(2),
             nn.Flatten(), nn.Linear(784, 10))


# ── Residual networks ────────────────────────────────────────────────────────────────────────────────────────────────


class Residual(nn.Module):
    def __init__(self, main, skip, after=True, pre=False):
        super().__init__()
        self.main = main
        if skip is not None:
            self.skip = skip
        self.has_skip = skip is not None
        self.after = after

    def forward(self, x):
        out = self.main(x) + (self.skip(x) if self.has_skip else x)
        return torch.relu(out) if self.after else out


def two_convs(i, o, s, bias):
    return S(conv(i, o, 3, s, 1, bias), nn.BatchNorm2d(o), nn.ReLU(), conv(o, o, 3, 1, 1, bias), nn.BatchNorm2d(o))


def resnet():
    blocks, channels = [], 16
    for group, width in enumerate([16, 32, 64]):
        for i in range(3):
            s = 2 if group > 0 and i == 0 else 1
            blocks.append(Residual(two_convs(channels, width, s, False), S(conv(channels, width, 1, 2)) if s > 1 else None))
            channels = width
    return S(conv(3, 16, 3, 1, 1, False), nn.BatchNorm2d(16), nn.ReLU(), *blocks, gap(), nn.Flatten(), nn.Linear(64, 10))


def preact_resnet():
    blocks, channels = [], 16
    for group, width in enumerate([16, 32, 64]):
        for i in range(3):
            s = 2 if group > 0 and i == 0 else 1
            main = S(nn.BatchNorm2d(channels), nn.ReLU(), conv(channels, width, 3, s, 1, False),
                     nn.BatchNorm2d(width), nn.ReLU(), conv(width, width, 3, 1, 1, False))
            skip = S(nn.BatchNorm2d(channels), nn.ReLU(), conv(channels, width, 1, 2, 0, False)) if s > 1 else None
            blocks.append(Residual(main, skip, after=False))
            channels = width
    return S(conv(3, 16, 3, 1, 1, False), *blocks, gap(), nn.Flatten(), nn.Linear(64, 10))


def small_resnet():
    blocks, channels = [], 16
    for width in [16, 32]:
        skip = S(conv(channels, width, 1), nn.BatchNorm2d(width)) if channels != width else None
        blocks.append(Residual(two_convs(channels, width, 1, True), skip))
        channels = width
    return S(conv(3, 16, 3, 1, 1), nn.BatchNorm2d(16), nn.ReLU(), *blocks, nn.Flatten(), nn.Linear(32768, 10))


def blog_resnet():
    blocks, channels = [], 64
    for width, s in [(128, 2), (256, 2), (512, 2), (512, 1)]:
        skip = S(conv(channels, width, 1, s), nn.BatchNorm2d(width)) if channels != width else None
        blocks.append(Residual(two_convs(channels, width, s, True), skip, after=False))
        channels = width
    return S(conv(3, 64, 3, 3), nn.BatchNorm2d(64), nn.ReLU(), *blocks, nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(512, 10))


def fashion_resnet():
    blocks, channels = [], 64
    for group, width in enumerate([64, 128, 256, 512]):
        for i in range(2):
            s = 2 if group > 0 and i == 0 else 1
            blocks.append(Residual(two_convs(channels, width, s, True), S(conv(channels, width, 1, 2)) if s > 1 else None))
            channels = width
    return S(conv(1, 64, 7, 2, 3), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1), *blocks, gap(), nn.Flatten(), nn.Linear(512, 10))


# ── Dense networks ───────────────────────────────────────────────────────────────────────────────────────────────────


class DenseLayer(nn.Sequential):
    def __init__(self, channels, growth, width):
        super().__init__(nn.BatchNorm2d(channels), nn.ReLU(), conv(channels, width, 1, bias=False),
                         nn.BatchNorm2d(width), nn.ReLU(), conv(width, growth, 3, p=1, bias=False), nn.Identity())

    def forward(self, x):
        return torch.cat([super().forward(x), x], 1)


def densenet():
    growth, layers, channels = 16, [conv(3, 32, 3, p=1)], 32
    for block in range(4):
        for _ in range(6):
            layers.append(DenseLayer(channels, growth, 2 * growth))
            channels += growth
        if block < 3:
            layers.append(S(nn.BatchNorm2d(channels), nn.ReLU(), conv(channels, channels // 2, 1, bias=False), nn.AvgPool2d(2)))
            channels //= 2
    return S(*layers, nn.BatchNorm2d(channels), nn.ReLU(), gap(), nn.Flatten(), nn.Linear(channels, 10))


class FashionDenseNet(nn.ModuleList):
    """One flat list: each dense layer stands beside an identity, whose output comes first in the concatenation."""

    def __init__(self):
        layers, channels = [conv(1, 64, 7, 2, 3), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)], 64
        for block in range(4):
            for _ in range(4):
                layers += [nn.Identity(), S(nn.BatchNorm2d(channels), nn.ReLU(), conv(channels, 32, 3, p=1))]
                channels += 32
            if block < 3:
                layers += [nn.BatchNorm2d(channels), nn.ReLU(), conv(channels, channels // 2, 1), nn.AvgPool2d(2)]
                channels //= 2
        layers += [nn.BatchNorm2d(channels), nn.ReLU(), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(channels, 10)]
        super().__init__(layers)

    def forward(self, x):
        kept = None
        for layer in self:
            if isinstance(layer, nn.Identity):
                kept = x
            elif kept is not None:
                x, kept = torch.cat([kept, layer(x)], 1), None
            else:
                x = layer(x)
        return x


# ── Inception ────────────────────────────────────────────────────────────────────────────────────────────────────────


class Branches(nn.ModuleList):
    """Numbered layers, some of which make up each branch."""

    def __init__(self, layers, branches):
        super().__init__(layers)
        self.branches = branches

    def forward(self, x):
        outputs = []
        for branch in self.branches:
            y = x
            for index in branch:
                y = self[index](y)
            outputs.append(y)
        return torch.cat(outputs, 1)


def conv_bn(i, o, k, p=0):
    return S(conv(i, o, k, p=p), nn.BatchNorm2d(o), nn.ReLU())


def googlenet():
    def inception(i, r3, r5, o1, o3, o5, om):
        return Branches([conv_bn(i, o1, 1), conv_bn(i, r3, 1), conv_bn(r3, o3, 3, 1), conv_bn(i, r5, 1), conv_bn(r5, o5, 5, 2),
                         nn.MaxPool2d(3, 1, 1), conv_bn(i, om, 1)], [[0], [1, 2], [3, 4], [5, 6]])

    pool = lambda: nn.MaxPool2d(3, 2, 1)
    return S(conv_bn(3, 64, 3, 1),
             inception(64, 32, 16, 16, 32, 8, 8), inception(64, 32, 16, 24, 48, 12, 12), pool(),
             inception(96, 32, 16, 24, 48, 12, 12), inception(96, 32, 16, 16, 48, 16, 16),
             inception(96, 32, 16, 16, 48, 16, 16), inception(96, 32, 16, 32, 48, 24, 24), pool(),
             inception(128, 48, 16, 32, 64, 16, 16), inception(128, 48, 16, 32, 64, 16, 16),
             gap(), nn.Flatten(), nn.Linear(128, 10))


def fashion_googlenet():
    def inception(i, o1, r3, o3, r5, o5, om):
        R = nn.ReLU
        return Branches([conv(i, o1, 1), R(), conv(i, r3, 1), R(), conv(r3, o3, 3, p=1), R(), conv(i, r5, 1), R(),
                         conv(r5, o5, 5, p=2), R(), nn.MaxPool2d(3, 1, 1), conv(i, om, 1), R()],
                        [[0, 1], [2, 3, 4, 5], [6, 7, 8, 9], [10, 11, 12]])

    pool = lambda: nn.MaxPool2d(3, 2, 1)
    return S(conv(1, 64, 7, 2, 3), nn.ReLU(), pool(), conv(64, 64, 1), nn.ReLU(), conv(64, 192, 3, p=1), nn.ReLU(), pool(),
             inception(192, 64, 96, 128, 16, 32, 32), inception(256, 128, 128, 192, 32, 96, 64), pool(),
             inception(480, 192, 96, 208, 16, 48, 64), inception(512, 160, 112, 224, 24, 64, 64),
             inception(512, 128, 128, 256, 24, 64, 64), inception(512, 112, 144, 288, 32, 64, 64),
             inception(528, 256, 160, 320, 32, 128, 128), pool(),
             inception(832, 256, 160, 320, 32, 128, 128), inception(832, 384, 192, 384, 48, 128, 128),
             gap(), nn.Flatten(), nn.Linear(1024, 10))


# ── AlexNet, NiN ─────────────────────────────────────────────────────────────────────────────────────────────────────


def fashion_alexnet():
    R = nn.ReLU
    pool = lambda: nn.MaxPool2d(3, 2)
    return S(conv(1, 96, 11, 4, 1), R(), pool(), conv(96, 256, 5, p=2), R(), pool(), conv(256, 384, 3, p=1), R(),
             conv(384, 384, 3, p=1), R(), conv(384, 256, 3, p=1), R(), pool(), nn.Flatten(),
             nn.Linear(6400, 4096), R(), nn.Dropout(0.5), nn.Linear(4096, 4096), R(), nn.Dropout(0.5), nn.Linear(4096, 10))


def nin():
    def block(i, o, k, s=1, p=0):
        return S(conv(i, o, k, s, p), nn.ReLU(), conv(o, o, 1), nn.ReLU(), conv(o, o, 1), nn.ReLU())

    pool = lambda: nn.MaxPool2d(3, 2)
    return S(block(1, 96, 11, 4), pool(), block(96, 256, 5, p=2), pool(), block(256, 384, 3, p=1), pool(), nn.Dropout(0.5),
             block(384, 10, 3, p=1), gap(), nn.Flatten())


def inception_v3():
    return torchvision.models.inception_v3(weights=None, aux_logits=True, transform_input=False, init_weights=False)


def two_headed_googlenet():
    """torchvision's, its heads in the order in which the network has them."""

    class GoogLeNet(torchvision.models.GoogLeNet):
        def forward(self, x):
            logits, second, first = self._forward(x)
            return (logits, first, second) if self.training else logits

    return GoogLeNet(aux_logits=True, init_weights=False)


# spec, input, model; dropout is set to zero so that training mode can be compared
MODELS = {
    "densenet": ((3, 32, 32), densenet),
    "resnet": ((3, 32, 32), resnet),
    "preact-resnet": ((3, 32, 32), preact_resnet),
    "googlenet": ((3, 32, 32), googlenet),
    "mnist/lenet5": ((1, 32, 32), lambda: lenet(1, nn.ReLU, nn.MaxPool2d)),
    "mnist/convnet": ((1, 28, 28), convnet),
    "cifar10/lenet5": ((3, 32, 32), lambda: lenet(3, nn.ReLU, nn.MaxPool2d, between=False)),
    "cifar10/resnet18-small": ((3, 32, 32), small_resnet),
    "cifar10/resnet18": ((3, 32, 32), blog_resnet),
    "fashion-mnist/lenet": ((1, 28, 28), lambda: lenet(1, nn.Sigmoid, nn.AvgPool2d, padding=2)),
    "fashion-mnist/alexnet": ((1, 224, 224), fashion_alexnet),
    "fashion-mnist/nin": ((1, 224, 224), nin),
    "fashion-mnist/googlenet": ((1, 96, 96), fashion_googlenet),
    "fashion-mnist/resnet18": ((1, 96, 96), fashion_resnet),
    "fashion-mnist/densenet": ((1, 96, 96), FashionDenseNet),
    "imagenet/alexnet": ((3, 224, 224), torchvision.models.alexnet),
    "imagenet/vgg11": ((3, 224, 224), torchvision.models.vgg11),
    "imagenet/vgg13": ((3, 224, 224), torchvision.models.vgg13),
    "imagenet/vgg16": ((3, 224, 224), torchvision.models.vgg16),
    "imagenet/vgg19": ((3, 224, 224), torchvision.models.vgg19),
    "imagenet/resnet18": ((3, 224, 224), torchvision.models.resnet18),
    "imagenet/inception-v3": ((3, 299, 299), inception_v3),
    "imagenet/googlenet": ((3, 224, 224), two_headed_googlenet),
    "imagenet/efficientnet-b0": ((3, 224, 224), torchvision.models.efficientnet_b0),
    "imagenet/resnet50": ((3, 224, 224), torchvision.models.resnet50),
    "imagenet/mobilenet-v2": ((3, 224, 224), torchvision.models.mobilenet_v2),
    "imagenet/squeezenet": ((3, 224, 224), torchvision.models.squeezenet1_1),
    "imagenet/densenet121": ((3, 224, 224), torchvision.models.densenet121),
    "imagenet/shufflenet-v2": ((3, 224, 224), torchvision.models.shufflenet_v2_x1_0),
}
