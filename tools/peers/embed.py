"""An encoder at work in PyTorch or onnxruntime, timed on synthetic pictures; prints one JSON object."""

import argparse
import io
import json
import resource
import statistics
import time

import torch
import torchvision
from torch import nn


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=["torch", "onnxruntime"], default="torch")
    parser.add_argument("--arch", default="resnet18")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--layout", choices=["nchw", "nhwc"], default="nchw")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--warmup", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=7)
    return parser.parse_args()


def onnx_session(net, pictures, threads):
    import onnxruntime

    file = io.BytesIO()
    torch.onnx.export(net, pictures, file, input_names=["pictures"], output_names=["vectors"], dynamo=False)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(file.getvalue(), options, providers=["CPUExecutionProvider"])
    values = pictures.numpy()
    return lambda: session.run(None, {"pictures": values}), "onnxruntime " + onnxruntime.__version__


def main():
    options = arguments()
    torch.manual_seed(0)
    torch.set_num_threads(options.threads)
    net = getattr(torchvision.models, options.arch)(weights=None)
    net.fc = nn.Identity()
    if options.size <= 64:
        net.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
        net.maxpool = nn.Identity()
    net.eval()
    pictures = torch.randn(options.batch, 3, options.size, options.size)
    if options.engine == "onnxruntime":
        call, version = onnx_session(net, pictures, options.threads)
    else:
        layout = torch.channels_last if options.layout == "nhwc" else torch.contiguous_format
        net, pictures = net.to(memory_format=layout), pictures.to(memory_format=layout)
        if options.compile:
            net = torch.compile(net)
        call, version = lambda: net(pictures), "PyTorch " + torch.__version__
    seconds = []
    with torch.inference_mode():
        for k in range(options.warmup + options.repeat):
            start = time.perf_counter()
            call()
            if k >= options.warmup:
                seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds)
    print(json.dumps({
        "images_per_s": options.batch / median, "step_s": median, "version": version,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "isa": torch.backends.cpu.get_cpu_capability()}))


if __name__ == "__main__":
    main()
