"""Makes method/testdata/byol.json from an independent BYOL in PyTorch.

Made with Python 3.11, PyTorch 2.15.0, torchvision 0.29.2, in float64:

    python tools/golden/byol_step.py method/testdata/byol.json

The network is a ResNet-18 of a sixteenth of the width with the 3x3 stem on 8x8
pictures, heads of 32 and 16 units. Weights and views follow formula.py; the
views of step k are image("view1.k", ...) and image("view2.k", ...), those of
micro-batch m of two image("view1.k.m", ...).

Every case: 20 steps (LARS in the paper's form; SGD with momentum), with and
without accumulation over two micro-batches, at constant rate, with the cosine
schedule of tau from 0.9. It records the loss of every forward and, at the end,
norm and sample of every state tensor of a list. "first" are the gradients of
the first step.
"""

import copy
import json
import math
import sys

import numpy as np
import torch
import torch.nn.functional as F
from formula import fill, image, sample
from torch import nn
from torchvision.models.resnet import BasicBlock

WIDTH, HIDDEN, DIM, BATCH, SIZE, STEPS = 4, 32, 16, 16, 8, 20
RATE = {"sgd": 2e-3, "lars": 1e-3}  # small: rounding must not grow to what is compared
WEIGHT_DECAY = {"sgd": 5e-4, "lars": 1e-4}
# Added to the offsets of all norms, so that few activations lie so near the kink
# of ReLU that float32 and float64 take different sides, after which they part.
OFFSET = 2.5
TRUST, MOMENTUM, TAU = 2.0, 0.9, 0.9


class ResNet18(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        channels = width
        for stage in range(4):
            out, stride = width * 2**stage, 1 if stage == 0 else 2
            down = None
            if stride != 1:
                down = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))
            setattr(self, f"layer{stage + 1}", nn.Sequential(BasicBlock(channels, out, stride, down), BasicBlock(out, out)))
            channels = out
        self.features = channels

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        for stage in range(4):
            x = getattr(self, f"layer{stage + 1}")(x)
        return x.mean((2, 3))


def mlp(inputs):
    return nn.Sequential(nn.Linear(inputs, HIDDEN), nn.BatchNorm1d(HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, DIM, bias=False))


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = ResNet18(WIDTH)
        self.projector = mlp(self.encoder.features)

    def forward(self, x):
        return self.projector(self.encoder(x))


def build():
    online = Network()
    online.predictor = mlp(DIM)
    for name, tensor in online.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            fan_in = {"projector.0.bias": online.encoder.features, "predictor.0.bias": DIM}.get(name, 0)
            tensor.copy_(torch.from_numpy(fill("online." + name, tuple(tensor.shape), fan_in)))
            if tensor.ndim == 1 and name.endswith(".bias") and not fan_in:
                tensor.add_(OFFSET)
    online.double()
    target = copy.deepcopy(online)
    del target.predictor
    for p in target.parameters():
        p.requires_grad_(False)
    return online, target


def loss_of(online, target, view1, view2):
    with torch.no_grad():
        t1, t2 = F.normalize(target(view1)), F.normalize(target(view2))
    p1 = F.normalize(online.predictor(online(view1)))
    p2 = F.normalize(online.predictor(online(view2)))
    loss = 2 - 2 * (p1 * t2).sum(1) + 2 - 2 * (p2 * t1).sum(1)
    return loss.mean(), t1, t2


def batch(name):
    return torch.from_numpy(image(name, BATCH, SIZE)).permute(0, 3, 1, 2).double()


def lars_step(parameters, buffers, rate):
    """One step of the paper's LARS over (name, parameter) pairs."""
    for name, p in parameters:
        g = p.grad
        if p.ndim > 1:
            g = g + WEIGHT_DECAY["lars"] * p
            pn, gn = p.norm(), g.norm()
            if pn > 0 and gn > 0:
                g = g * TRUST * pn / gn
        buffers[name] = MOMENTUM * buffers.get(name, 0) + g
        p.sub_(rate * buffers[name])


def summary(tensor):
    values = tensor.detach().numpy()
    return {"norm": float(math.sqrt((values**2).sum())), "sample": sample(values)}


def run(optimiser, accumulate):
    online, target = build()
    decayed = [p for p in online.parameters() if p.ndim > 1]
    others = [p for p in online.parameters() if p.ndim == 1]
    sgd = torch.optim.SGD([{"params": decayed, "weight_decay": WEIGHT_DECAY["sgd"]}, {"params": others}],
                          lr=RATE["sgd"], momentum=MOMENTUM)
    buffers, losses, first, metrics = {}, [], None, None
    for k in range(STEPS):
        online.zero_grad()
        for m in range(accumulate):
            suffix = f"{k}" if accumulate == 1 else f"{k}.{m}"
            loss, t1, t2 = loss_of(online, target, batch("view1." + suffix), batch("view2." + suffix))
            (loss / accumulate).backward()
            losses.append(loss.item())
            if first is None:
                first = {"online." + n: summary(p.grad) for n, p in online.named_parameters()}
                cosines = t1 @ t2.T
                off = cosines[~torch.eye(BATCH, dtype=torch.bool)]
                metrics = {
                    "target_std": (t1.std(0).mean() * math.sqrt(DIM)).item(),
                    "positive_cosine": cosines.diag().mean().item(),
                    "negative_cosine": off.mean().item(),
                    "gradient_norm": math.sqrt(sum((p.grad**2).sum().item() for p in online.parameters())) * accumulate,
                }
        with torch.no_grad():
            if optimiser == "sgd":
                sgd.step()
            else:
                lars_step(list(online.named_parameters()), buffers, RATE["lars"])
            tau = 1 - (1 - TAU) * (math.cos(math.pi * k / STEPS) + 1) / 2
            theta = dict(online.named_parameters())
            for name, xi in target.named_parameters():
                xi.copy_(tau * xi + (1 - tau) * theta[name])
    state = {}
    for prefix, network in (("online.", online), ("target.", target)):
        for name, tensor in network.state_dict().items():
            if not name.endswith("num_batches_tracked"):
                state[prefix + name] = summary(tensor)
    wanted = [n for n in state if any(w in n for w in (
        "encoder.conv1.", "encoder.bn1.", "layer2.0.downsample", "layer4.1.conv2", "layer4.1.bn2", "projector", "predictor"))]
    return {
        "optimiser": optimiser, "accumulate": accumulate, "batch": BATCH, "size": SIZE, "rate": RATE[optimiser],
        "weight_decay": WEIGHT_DECAY[optimiser], "trust": TRUST, "momentum": MOMENTUM, "tau": TAU, "steps": STEPS,
        "losses": losses, "metrics": metrics,
        "first": first if optimiser == "sgd" and accumulate == 1 else None,
        "state": {n: state[n] for n in wanted},
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    np.seterr(all="raise", over="ignore")
    cases = [run(optimiser, accumulate) for optimiser in ("sgd", "lars") for accumulate in (1, 2)]
    for case in cases:
        print(case["optimiser"], case["accumulate"], [round(x, 4) for x in case["losses"]], case["metrics"])
    with open(sys.argv[1], "w") as f:
        json.dump(cases, f, indent=1)
        f.write("\n")
