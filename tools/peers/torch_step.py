"""One BYOL training step in PyTorch, timed on synthetic pictures; prints one JSON object.

The same work as `byol bench step`: two views through the online network and back, two
through the target, an optimiser step, the moving average. The optimiser is SGD with
momentum, which costs PyTorch less than LARS would.
"""

import argparse
import copy
import json
import resource
import statistics
import time

import torch
import torchvision
from torch import nn
from torch.nn import functional
from torchvision.models.resnet import BasicBlock


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arch", default="resnet18")
    parser.add_argument("--width", type=float, default=1, help="of the channels; below 1 for resnet18 with the CIFAR stem only")
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--hidden", type=int, default=4096)
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--layout", choices=["nchw", "nhwc"], default="nchw")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--warmup", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    return parser.parse_args()


def narrow_resnet18(width):
    """ResNet-18 with the CIFAR stem and a share of the channels; returns it and its output size."""
    channels = round(64 * width)
    layers = [nn.Conv2d(3, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]
    for stage in range(4):
        out = round(64 * width) << stage
        for block in range(2):
            stride = 2 if stage > 0 and block == 0 else 1
            shortcut = None
            if stride > 1:
                shortcut = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))
            layers.append(BasicBlock(channels, out, stride, shortcut))
            channels = out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten()), channels


def encoder(options):
    if options.width != 1:
        return narrow_resnet18(options.width)
    net = getattr(torchvision.models, options.arch)(weights=None)
    features = net.fc.in_features
    net.fc = nn.Identity()
    if options.size <= 64:
        net.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
        net.maxpool = nn.Identity()
    return net, features


def head(inputs, options):
    return nn.Sequential(
        nn.Linear(inputs, options.hidden), nn.BatchNorm1d(options.hidden), nn.ReLU(inplace=True),
        nn.Linear(options.hidden, options.dim, bias=False))


def main():
    options = arguments()
    torch.manual_seed(0)
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    net, features = encoder(options)
    layout = torch.channels_last if options.layout == "nhwc" else torch.contiguous_format
    online = nn.Sequential(net, head(features, options)).to(memory_format=layout)
    target = copy.deepcopy(online).requires_grad_(False)
    predictor = head(options.dim, options)
    optimiser = torch.optim.SGD([*online.parameters(), *predictor.parameters()], lr=0.01, momentum=0.9, weight_decay=5e-4)
    views = [torch.randn(options.batch, 3, options.size, options.size).to(memory_format=layout) for _ in range(2)]

    def loss_of(first, second):
        with torch.autocast("cpu", torch.bfloat16, enabled=options.precision == "bf16"):
            predictions = [predictor(online(v)) for v in (first, second)]
            with torch.no_grad():
                projections = [target(v) for v in (second, first)]
        cosines = [functional.cosine_similarity(p.float(), z.float()) for p, z in zip(predictions, projections)]
        return (4 - 2 * cosines[0] - 2 * cosines[1]).mean()

    if options.compile:
        loss_of = torch.compile(loss_of)
    slow, fast = list(target.parameters()), list(online.parameters())

    def step():
        loss = loss_of(*views)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        with torch.no_grad():
            torch._foreach_lerp_(slow, fast, 0.01)
        return loss.item()

    for _ in range(options.warmup):
        step()
    seconds = []
    for _ in range(options.repeat):
        start = time.perf_counter()
        loss = step()
        seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds)
    print(json.dumps({
        "images_per_s": options.batch / median, "step_s": median, "loss": loss,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "version": "PyTorch " + torch.__version__, "isa": torch.backends.cpu.get_cpu_capability()}))


if __name__ == "__main__":
    main()
