"""Makes encoder/testdata/resnet.json from torchvision's networks.

Made with Python 3.11, PyTorch 2.15.0, torchvision 0.29.2, in float64:

    python tools/golden/encoder.py encoder/testdata/resnet.json

Weights, statistics and pictures follow formula.py. The loss is the sum of the
pooled features times symmetric("weights", ...). For every network in training
and in evaluation mode: the features' norm and a sample, the norm and a sample
of the gradient of some parameters and of the input, and, in training, of some
running statistics afterwards.
"""

import json
import math
import sys

import torch
import torchvision
from formula import fill, image, sample, symmetric


def build(arch: str, stem: str) -> torch.nn.Module:
    model = getattr(torchvision.models, arch)()
    if stem == "cifar":
        model.conv1 = torch.nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        model.maxpool = torch.nn.Identity()
    model.fc = torch.nn.Identity()
    for name, tensor in model.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            tensor.copy_(torch.from_numpy(fill(name, tuple(tensor.shape))))
    return model.double()


def summary(tensor: torch.Tensor) -> dict:
    values = tensor.detach().numpy()
    return {"norm": float(math.sqrt((values**2).sum())), "sample": sample(values)}


def run(arch: str, stem: str, size: int, batch: int, training: bool) -> dict:
    model = build(arch, stem).train(training)
    x = torch.from_numpy(image("image", batch, size)).permute(0, 3, 1, 2).double().requires_grad_()
    features = model(x)
    weights = torch.from_numpy(symmetric("weights", features.numel())).reshape(features.shape)
    (features * weights).sum().backward()
    parameters = dict(model.named_parameters())
    wanted = ["conv1.weight", "bn1.weight", "layer1.0.conv1.weight", "layer2.0.downsample.0.weight",
              "layer2.0.downsample.1.bias", "layer3.1.conv2.weight", "layer4.1.bn2.weight", "layer4.1.conv2.weight"]
    statistics = {}
    if training:
        state = model.state_dict()
        for name in ("bn1.running_mean", "bn1.running_var", "layer4.1.bn2.running_var"):
            statistics[name] = summary(state[name])
    return {
        "arch": arch, "stem": stem, "size": size, "batch": batch, "training": training,
        "features": summary(features),
        "input": summary(x.grad.permute(0, 2, 3, 1).contiguous()),
        "gradients": {name: summary(parameters[name].grad) for name in wanted},
        "statistics": statistics,
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    cases = [run(arch, stem, size, batch, training)
             for arch, stem, size, batch in (("resnet18", "imagenet", 32, 4), ("resnet18", "cifar", 8, 4),
                                             ("resnet50", "imagenet", 32, 4))
             for training in (True, False)]
    with open(sys.argv[1], "w") as f:
        json.dump(cases, f, indent=1)
        f.write("\n")
