"""Compare byol with PyTorch, onnxruntime and XLA on this machine, in turn.

    python3 tools/peers/compare.py                      # makes a virtual environment and installs requirements.txt
    python3 tools/peers/compare.py --python EXE         # uses an interpreter that has the packages
    python3 tools/peers/compare.py --only "float32" --rounds 1
    python3 tools/peers/compare.py --photos DIR         # with decoding and augmentation of the JPEGs in a folder

Every contender runs in a process of its own, one after the other, in several rounds; the
medians over the rounds are compared, so that a slow minute of the machine meets all of
them. What a library offers in several ways (layouts, compiled or not) counts by the
fastest. Writes a table in Markdown to --out, or prints it.

XLA runs byol's own graphs, by a byol built with cgo, through XLA's CPU plugin from PyPI;
without a C compiler or the plugin its column is empty.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import venv

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

# Training steps: flags of byol, and of torch_step.py where they differ.
STEPS = [
    ("ResNet-18, 32x32, batch 64, float32", ["--arch", "resnet18", "--size", "32", "--batch", "64"], []),
    ("the same, bfloat16", ["--arch", "resnet18", "--size", "32", "--batch", "64", "--precision", "bf16"], []),
    ("a quarter of the width, heads 512/128, float32", ["--arch", "resnet18", "--size", "32", "--batch", "64"],
     [("encoder.width", "--width", "0.25"), ("heads.hidden", "--hidden", "512"), ("heads.dim", "--dim", "128")]),
    ("ResNet-50, 224x224, batch 16, float32", ["--arch", "resnet50", "--size", "224", "--batch", "16"], []),
]
EMBEDS = [
    ("ResNet-18, 224x224, batch 32", ["--arch", "resnet18", "--size", "224", "--batch", "32"]),
    ("ResNet-18, 32x32, batch 64", ["--arch", "resnet18", "--size", "32", "--batch", "64"]),
    ("ResNet-50, 224x224, batch 32", ["--arch", "resnet50", "--size", "224", "--batch", "32"]),
    ("ResNet-18, 224x224, batch 1", ["--arch", "resnet18", "--size", "224", "--batch", "1"]),
]

DATA = [("decode a JPEG, two views of 224x224", "224"), ("two views of 32x32 of decoded pictures", "32")]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", help="interpreter that has the packages of requirements.txt")
    parser.add_argument("--venv", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()) / "byol-peers", help="folder of the virtual environment")
    parser.add_argument("--xla-plugin", help="XLA's CPU plugin (default: that of the environment, if it is there)")
    parser.add_argument("--byol", help="byol that is built already, without cgo")
    parser.add_argument("--photos", type=pathlib.Path, help="folder of JPEGs, for the comparison of the data path")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--timeout", type=float, default=600, help="seconds for one run of a contender")
    parser.add_argument("--only", default="", help="regular expression: the comparisons whose title matches")
    parser.add_argument("--without", default="", help="regular expression: contenders to leave out")
    parser.add_argument("--out", type=pathlib.Path, help="file for the table")
    return parser.parse_args()


def interpreter(options):
    """Returns a Python that has the packages, made if need be."""
    if options.python:
        return options.python
    python = options.venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        venv.create(options.venv, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", HERE / "requirements.txt"], check=True)
    return str(python)


def plugin(options, python):
    if options.xla_plugin:
        return os.path.abspath(options.xla_plugin)
    find = "import sysconfig, glob; print(*glob.glob(sysconfig.get_path('purelib') + '/xla_plugins/xla_cpu_pjrt/*.so'))"
    found = subprocess.run([python, "-c", find], capture_output=True, text=True).stdout.split()
    return found[0] if found else None


def build(folder, cgo):
    """Builds byol; None if that fails, which without a C compiler it does with cgo."""
    name = pathlib.Path(folder) / ("byol-cgo" if cgo else "byol")
    done = subprocess.run(["go", "build", "-o", name, "./cmd/byol"], cwd=ROOT, env={**os.environ, "CGO_ENABLED": "1" if cgo else "0"},
                          capture_output=True, text=True)
    if done.returncode == 0:
        return str(name)
    if not cgo:
        sys.exit(done.stderr)
    print("no XLA: " + done.stderr.strip().splitlines()[-1], file=sys.stderr)
    return None


def measured(command, timeout):
    """Runs one contender; None if it cannot run here, or not in time."""
    command = [str(c) for c in command]
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=timeout)
    except subprocess.TimeoutExpired:
        print(f"  took longer than {timeout} s: {' '.join(command)}", file=sys.stderr)
        return None
    if done.returncode != 0:
        print("  failed: " + " ".join(command) + "\n  " + (done.stderr.strip().splitlines() or ["no message"])[-1], file=sys.stderr)
        return None
    return json.loads(done.stdout.strip().splitlines()[-1])


class Contender:
    """A name, the column that it competes in, a command, and what its rounds gave."""

    def __init__(self, column, name, command):
        self.column, self.name, self.command = column, name, command
        self.results, self.failed = [], False

    def run(self, timeout):
        if self.failed:
            return
        result = measured(self.command, timeout)
        self.failed = result is None
        if result:
            self.results.append(result)
            print(f"  {self.name}: {result['images_per_s']:.2f} images/s", file=sys.stderr)

    def speed(self):
        return statistics.median(r["images_per_s"] for r in self.results) if self.results else 0.0

    def peak(self):
        return statistics.median(r["peak_bytes"] for r in self.results) if self.results else 0


def step_contenders(byol, byol_xla, xla, python, threads, flags, extra):
    ours = [f for key, _, value in extra for f in ("--set", f"{key}={value}")]
    theirs = [f for _, flag, value in extra for f in (flag, value)]
    bench = ["bench", "step", "--json", "--threads", threads, *flags, *ours]
    peer = [python, HERE / "torch_step.py", "--threads", threads, *flags, *theirs]
    list_ = [Contender("byol", "byol", [byol, *bench, "--repeat", "3"])]
    for name, more in [("NCHW", ["--layout", "nchw"]), ("NHWC", ["--layout", "nhwc"]), ("NHWC compiled", ["--layout", "nhwc", "--compile"])]:
        list_.append(Contender("PyTorch", "PyTorch " + name, peer + more))
    if byol_xla and xla:
        list_.append(Contender("XLA", "XLA", [byol_xla, *bench, "--repeat", "2", "--warmup", "1", "--backend", "xla:" + xla]))
    return list_


def embed_contenders(byol, python, threads, flags):
    peer = [python, HERE / "embed.py", "--threads", threads, *flags]
    return [
        Contender("byol", "byol", [byol, "bench", "embed", "--json", "--threads", threads, *flags]),
        Contender("PyTorch", "PyTorch NCHW", peer + ["--layout", "nchw"]),
        Contender("PyTorch", "PyTorch NHWC", peer + ["--layout", "nhwc"]),
        Contender("PyTorch", "PyTorch NHWC compiled", peer + ["--layout", "nhwc", "--compile"]),
        Contender("onnxruntime", "onnxruntime", peer + ["--engine", "onnxruntime"]),
    ]


def data_contenders(byol, python, photos, size):
    flags = ["--data", photos, "--size", size]
    return [
        Contender("byol", "byol", [byol, "bench", "data", "--json", *flags, "--repeat", "3"]),
        *[Contender("torchvision", "torchvision " + name, [python, HERE / "augment.py", "--engine", name, *flags]) for name in ("torchvision", "v2")],
        Contender("Albumentations", "Albumentations", [python, HERE / "augment.py", "--engine", "albumentations", *flags]),
    ]


def compare(title, contenders, options):
    """Runs the contenders in turn and returns the row's cells by column."""
    print(title, file=sys.stderr)
    contenders = [c for c in contenders if not (options.without and re.search(options.without, c.name))]
    for _ in range(options.rounds):
        for c in contenders:
            c.run(options.timeout)
    best = {}
    for c in contenders:
        if c.results and c.speed() > (best[c.column].speed() if c.column in best else 0):
            best[c.column] = c
    return best


def cell(contender, with_name):
    if contender is None:
        return "–"
    name = contender.name.removeprefix(contender.column).strip()
    text = f"{contender.speed():.4g}, {contender.peak() / 1e6:.0f} MB"
    return f"{text} ({name})" if with_name and name else text


def table(rows, columns):
    lines = ["| images/s, peak memory | " + " | ".join(columns) + " | byol / the best other |", "|---" * (len(columns) + 2) + "|"]
    for title, best in rows:
        others = [best[c].speed() for c in columns[1:] if c in best]
        ratio = f"{best['byol'].speed() / max(others):.2f}" if others and "byol" in best else "–"
        lines.append(f"| {title} | " + " | ".join(cell(best.get(c), True) for c in columns) + f" | {ratio} |")
    return "\n".join(lines)


def processor():
    try:
        fields = dict(re.findall(r"^(model name|cpu family|model)\s*:\s*(.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M))
        return f"{fields['model name']}, family {fields['cpu family']} model {fields['model']}"
    except (OSError, KeyError):
        return platform.processor() or platform.machine()


def main():
    options = arguments()
    python = interpreter(options)
    threads = str(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        byol = options.byol or build(folder, cgo=False)
        xla = plugin(options, python)
        byol_xla = build(folder, cgo=True) if xla else None
        wanted = re.compile(options.only)
        steps = [(title, compare(title, step_contenders(byol, byol_xla, xla, python, threads, flags, extra), options))
                 for title, flags, extra in STEPS if wanted.search("step: " + title)]
        embeds = [(title, compare(title, embed_contenders(byol, python, threads, flags), options))
                  for title, flags in EMBEDS if wanted.search("embed: " + title)]
        data = [(title, compare(title, data_contenders(byol, python, options.photos, size), options))
                for title, size in DATA if options.photos and wanted.search("data: " + title)]
        isa = json.loads(subprocess.run([byol, "doctor", "--json"], capture_output=True, text=True, check=True).stdout)["isa"]
    seen = {(r["version"], r["isa"]) for _, best in steps + embeds + data for c in best.values() for r in c.results if "version" in r}
    revision = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    text = f"{processor()}, {threads} threads, {datetime.date.today().isoformat()}. byol {revision} ({isa})"
    text += "".join(f", {version} ({instructions})" for version, instructions in sorted(seen)) + f". Medians of {options.rounds} rounds in turn.\n"
    if steps:
        text += "\nOne training step:\n\n" + table(steps, ["byol", "PyTorch", "XLA"]) + "\n"
    if embeds:
        text += "\nAn encoder at work:\n\n" + table(embeds, ["byol", "PyTorch", "onnxruntime"]) + "\n"
    if data:
        text += "\nTwo views of a picture, on one core:\n\n" + table(data, ["byol", "torchvision", "Albumentations"]) + "\n"
    if options.out:
        options.out.write_text("# Speed beside others\n\nWritten by `python3 tools/peers/compare.py --out " + options.out.name + "`. " + text)
    print(text)


if __name__ == "__main__":
    main()
