using CnnSpec.LibTorch;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>Arithmetic, broadcasting as libtorch does.</summary>
    public partial class Tensor
    {
        public Tensor add(Tensor target) => Aten.add.Call(this, target);

        public Tensor add(Scalar scalar) => Aten.addScalar.Call(this, scalar);

        public Tensor add(Tensor target, Scalar alpha) => Aten.add.Call(this, target, alpha);

        public Tensor add(Scalar scalar, Scalar alpha) => Aten.addScalar.Call(this, scalar, alpha);

        public Tensor add_(Tensor target) => Aten.add_.Update(this, target);

        public Tensor add_(Scalar scalar) => Aten.add_Scalar.Update(this, scalar);

        public Tensor add_(Tensor target, Scalar alpha) => Aten.add_.Update(this, target, alpha);

        public Tensor add_(Scalar scalar, Scalar alpha) => Aten.add_Scalar.Update(this, scalar, alpha);

        public Tensor sub(Tensor target) => Aten.sub.Call(this, target);

        public Tensor sub(Scalar target) => Aten.subScalar.Call(this, target);

        public Tensor sub_(Tensor target) => Aten.sub_.Update(this, target);

        public Tensor sub_(Scalar target) => Aten.sub_Scalar.Update(this, target);

        public Tensor mul(Tensor target) => Aten.mul.Call(this, target);

        public Tensor mul(Scalar target) => Aten.mulScalar.Call(this, target);

        public Tensor mul_(Tensor target) => Aten.mul_.Update(this, target);

        public Tensor mul_(Scalar target) => Aten.mul_Scalar.Update(this, target);

        public Tensor div(Tensor target, RoundingMode rounding_mode = RoundingMode.None) =>
            rounding_mode == RoundingMode.None
                ? Aten.div.Call(this, target)
                : Aten.divRounded.Call(this, target, rounding_mode.ToString());

        public Tensor div(Scalar target, RoundingMode rounding_mode = RoundingMode.None) =>
            rounding_mode == RoundingMode.None
                ? Aten.divScalar.Call(this, target)
                : Aten.divScalarRounded.Call(this, target, rounding_mode.ToString());

        public Tensor div_(Tensor target, RoundingMode rounding_mode = RoundingMode.None) =>
            rounding_mode == RoundingMode.None
                ? Aten.div_.Update(this, target)
                : Aten.div_Rounded.Update(this, target, rounding_mode.ToString());

        public Tensor div_(Scalar target, RoundingMode rounding_mode = RoundingMode.None) =>
            rounding_mode == RoundingMode.None
                ? Aten.div_Scalar.Update(this, target)
                : Aten.div_ScalarRounded.Update(this, target, rounding_mode.ToString());

        public Tensor pow(Scalar exponent) => Aten.powScalar.Call(this, exponent);

        public Tensor pow(Tensor exponent) => Aten.pow.Call(this, exponent);

        public Tensor pow_(Scalar exponent) => Aten.pow_Scalar.Update(this, exponent);

        public Tensor pow_(Tensor exponent) => Aten.pow_.Update(this, exponent);

        public Tensor fmod(Scalar scalar) => Aten.fmodScalar.Call(this, scalar);

        public Tensor fmod(Tensor target) => Aten.fmod.Call(this, target);

        public Tensor remainder(Scalar scalar) => Aten.remainderScalar.Call(this, scalar);

        public Tensor remainder(Tensor target) => Aten.remainder.Call(this, target);

        public Tensor maximum(Tensor other) => Aten.maximum.Call(this, other);

        public Tensor minimum(Tensor other) => Aten.minimum.Call(this, other);

        public Tensor addcmul(Tensor tensor1, Tensor tensor2, Scalar value) =>
            Aten.addcmul.Call(this, tensor1, tensor2, value);

        public Tensor addcmul_(Tensor tensor1, Tensor tensor2, Scalar value) =>
            Aten.addcmul_.Update(this, tensor1, tensor2, value);

        public Tensor addcdiv(Tensor tensor1, Tensor tensor2, Scalar value) =>
            Aten.addcdiv.Call(this, tensor1, tensor2, value);

        public Tensor addcdiv_(Tensor tensor1, Tensor tensor2, Scalar value) =>
            Aten.addcdiv_.Update(this, tensor1, tensor2, value);

        public Tensor lerp(Tensor end, Tensor weight) => Aten.lerp.Call(this, end, weight);

        public Tensor clamp(Scalar? min = null, Scalar? max = null) => Aten.clamp.Call(this, min, max);

        public Tensor clamp_min(Scalar min) => Aten.clamp_min.Call(this, min);

        public Tensor clamp_max(Scalar max) => Aten.clamp_max.Call(this, max);

        public Tensor clamp_(Scalar? min = null, Scalar? max = null) => Aten.clamp_.Update(this, min, max);

        public Tensor clamp_min_(Scalar min) => Aten.clamp_min_.Update(this, min);

        public Tensor clamp_max_(Scalar max) => Aten.clamp_max_.Update(this, max);
    }

    public static Tensor add(Tensor left, Scalar right) => left.add(right);

    public static Tensor add(Tensor left, Scalar right, Scalar alpha) => left.add(right, alpha);

    public static Tensor add(Tensor left, Tensor right) => left.add(right);

    public static Tensor add(Tensor left, Tensor right, Scalar alpha) => left.add(right, alpha);

    public static Tensor add_(Tensor left, Scalar right) => left.add_(right);

    public static Tensor add_(Tensor left, Scalar right, Scalar alpha) => left.add_(right, alpha);

    public static Tensor add_(Tensor left, Tensor right) => left.add_(right);

    public static Tensor add_(Tensor left, Tensor right, Scalar alpha) => left.add_(right, alpha);

    public static Tensor sub(Tensor left, Scalar right) => left.sub(right);

    public static Tensor sub(Tensor left, Tensor right) => left.sub(right);

    public static Tensor sub_(Tensor left, Scalar right) => left.sub_(right);

    public static Tensor sub_(Tensor left, Tensor right) => left.sub_(right);

    public static Tensor mul(Tensor left, Scalar right) => left.mul(right);

    public static Tensor mul(Tensor left, Tensor right) => left.mul(right);

    public static Tensor mul_(Tensor left, Scalar right) => left.mul_(right);

    public static Tensor mul_(Tensor left, Tensor right) => left.mul_(right);

    public static Tensor div(Tensor left, Scalar right, RoundingMode rounding_mode = RoundingMode.None) =>
        left.div(right, rounding_mode);

    public static Tensor div(Tensor left, Tensor right, RoundingMode rounding_mode = RoundingMode.None) =>
        left.div(right, rounding_mode);

    public static Tensor div_(Tensor left, Scalar right, RoundingMode rounding_mode = RoundingMode.None) =>
        left.div_(right, rounding_mode);

    public static Tensor div_(Tensor left, Tensor right, RoundingMode rounding_mode = RoundingMode.None) =>
        left.div_(right, rounding_mode);

    public static Tensor pow(Tensor left, Scalar exponent) => left.pow(exponent);

    public static Tensor pow(Tensor left, Tensor exponent) => left.pow(exponent);

    public static Tensor pow_(Tensor left, Scalar exponent) => left.pow_(exponent);

    public static Tensor pow_(Tensor left, Tensor exponent) => left.pow_(exponent);

    public static Tensor fmod(Tensor left, Scalar right) => left.fmod(right);

    public static Tensor fmod(Tensor left, Tensor right) => left.fmod(right);

    public static Tensor remainder(Tensor left, Scalar right) => left.remainder(right);

    public static Tensor remainder(Tensor left, Tensor right) => left.remainder(right);

    public static Tensor maximum(Tensor input, Tensor other) => input.maximum(other);

    public static Tensor minimum(Tensor input, Tensor other) => input.minimum(other);

    public static Tensor clamp(Tensor input, Scalar? min = null, Scalar? max = null) => input.clamp(min, max);

    public static Tensor clamp_(Tensor input, Scalar? min = null, Scalar? max = null) => input.clamp_(min, max);
}
