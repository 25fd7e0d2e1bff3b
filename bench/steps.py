"""Steps on images that lie in memory: `cnnspec bench` against bench/train_pytorch.py, one after the other, several times."""

import json
import os
import statistics
import sys

from networks import NETWORKS, ROOT, run

# What is measured, in this order in every repeat. Ratios are to the first.
WAYS = ["TorchSharp", "PyTorch", "PyTorch, tuned", "PyTorch, frozen", "cnnspec fp32", "cnnspec auto"]
SLOWER = ["PyTorch", "PyTorch, frozen"]

# What PyTorch itself gains from channels-last, bfloat16 and an allocator that keeps its pages.
TUNED = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "2147483647"}


def measure(way, network, batch, threads, device):
    spec, optimizer, steps = NETWORKS[network].spec, NETWORKS[network].optimizer, NETWORKS[network].steps
    common = ["--batch", str(batch), "--steps", str(max(5, steps * 128 // max(batch, 16))), "--threads", str(threads), "--device", device]
    if way.startswith("cnnspec"):
        precision = way.split()[1]
        result = json.loads(run([os.path.join(ROOT, "cnnspec"), "bench", os.path.join(ROOT, "specs", spec + ".cnn"), *common,
                      "--precision", precision, "--format", "json"]))
        return {"training": result["training"]["images_per_second"],
                "training_processor_seconds": result["training"]["processor_seconds"],
                "inference": result["inference"]["images_per_second"],
                "inference_processor_seconds": result["inference"]["processor_seconds"],
                "peak_memory_bytes": result["peak_memory_bytes"]}
    if way == "TorchSharp":
        program = os.path.join(ROOT, "artifacts/bin/Torchsharp/release/torchsharp-bench.dll")
        found = json.loads(run(["dotnet", program, spec, "--optimizer", optimizer, *common[:6]]))
        return {key: value for key, value in found.items() if key != "parameters"}
    extra = {"PyTorch": [], "PyTorch, tuned": ["--channels-last", "--bf16"], "PyTorch, frozen": ["--frozen"]}[way]
    return json.loads(run(["/usr/bin/python3", os.path.join(ROOT, "bench/train_pytorch.py"), spec, "--optimizer", optimizer,
                           *common, *extra], TUNED if "tuned" in way else {}))


def compare(network, repeats, batch, threads, device, brief):
    """One dict of measurements for each repeat, by way."""
    run(["dotnet", "build", os.path.join(ROOT, "bench/torchsharp"), "-c", "Release", "-v", "quiet", "--nologo"])
    runs = []
    for repeat in range(repeats):
        ways = [way for way in (WAYS if device == "cpu" else WAYS[1:]) if not (brief and way in SLOWER)]
        runs.append({way: measure(way, network, batch, threads, device) for way in ways})
        rates = ", ".join(f"{way} {found['training']:,.0f}" for way, found in runs[-1].items())
        print(f"{network}, run {repeat + 1}, images/s in training: {rates}", file=sys.stderr)
    return runs


def summary(runs):
    """Medians of each way, and of its ratios to the first way in the same repeat, with their range: of rates, and of processor
    time, which other programs on the machine hardly change where one thread is used."""
    result = {}
    base = next(iter(runs[0]))
    for way in runs[0]:
        values = {key: statistics.median(run[way][key] for run in runs) for key in runs[0][way]}
        for key in ("training", "inference", "peak_memory_bytes"):
            values[f"{key}_ratio"] = statistics.median(run[way][key] / run[base][key] for run in runs)
        # How many times less, as the ratios above are how many times more.
        for key in ("training_processor_seconds", "inference_processor_seconds"):
            values[f"{key}_ratio"] = statistics.median(run[base][key] / run[way][key] for run in runs)
        ratios = [run[way]["training"] / run[base]["training"] for run in runs]
        values["training_ratio_range"] = [min(ratios), max(ratios)]
        best = [run[way]["training"] / max(run[other]["training"] for other in run if other.startswith("PyTorch")) for run in runs]
        values["training_to_best_pytorch"] = statistics.median(best)
        result[way] = values
    return result


def table(network, found):
    columns = ["training", "ratio", "least", "most", "to best", "inference", "ratio", "by cpu", "memory", "ratio"]
    lines = [f"{network:18}" + "".join(f"{column:>11}" for column in columns)]
    for way, v in found.items():
        lines.append(f"{way:18}{v['training']:>11,.0f}{v['training_ratio']:>11.2f}"
                     f"{v['training_ratio_range'][0]:>11.2f}{v['training_ratio_range'][1]:>11.2f}"
                     f"{v['training_to_best_pytorch']:>11.2f}{v['inference']:>11,.0f}"
                     f"{v['inference_ratio']:>11.2f}{v['inference_processor_seconds_ratio']:>11.2f}"
                     f"{v['peak_memory_bytes'] / 1e6:>8,.0f} MB{v['peak_memory_bytes_ratio']:>11.2f}")
    return "\n".join(lines)
