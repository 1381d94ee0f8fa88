"""Makes method/testdata/methods.json: every method but plain BYOL, in PyTorch.

Made with Python 3.11, PyTorch 2.15.0, lightly 1.6.0, in float64:

    python tools/golden/methods.py method/testdata/methods.json

Networks, weights and views are those of byol_step.py. The losses of SimCLR,
MoCo and SimSiam are lightly's classes, that of the classifier is PyTorch's; BYOL
with negatives is written out from the paper's formula of InfoNCE with alpha and
beta. MoCo's queue, at first fill("queue", ...), is handed to lightly's loss anew
for each order of the views, so that both see that of the step before.

Every case: two steps of SGD at constant rate. It records the loss of every
forward, the metrics of the first, and norm and sample of the first gradients and
of state tensors at the end.
"""

import copy
import json
import math
import sys

import torch
import torch.nn.functional as F
from byol_step import MOMENTUM, OFFSET, ResNet18, WIDTH, batch, summary
from formula import fill, uniform
from lightly.loss import NegativeCosineSimilarity, NTXentLoss
from torch import nn

HIDDEN, DIM, NARROW, BATCH, STEPS, RATE, TAU, DECAY = 32, 16, 8, 16, 2, 2e-3, 0.9, 5e-4


def mlp(inputs, hidden, outputs, output_norm):
    layers = [nn.Linear(inputs, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, outputs, bias=False)]
    return nn.Sequential(*layers, *([nn.BatchNorm1d(outputs)] if output_norm else []))


def build(case):
    """The online network as one module of named parts."""
    parts = nn.ModuleDict({"encoder": ResNet18(WIDTH)})
    features = parts["encoder"].features
    biases = {}
    if "classes" in case:
        parts["classifier"] = nn.Linear(features, case["classes"])
        biases["classifier.bias"] = features
    else:
        parts["projector"] = mlp(features, HIDDEN, DIM, case.get("output_norm", False))
        biases["projector.0.bias"] = features
    if "predictor" in case:
        parts["predictor"] = mlp(DIM, case["predictor"], DIM, False)
        biases["predictor.0.bias"] = DIM
    for name, tensor in parts.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            fan_in = biases.get(name, 0)
            tensor.copy_(torch.from_numpy(fill("online." + name, tuple(tensor.shape), fan_in)))
            if tensor.ndim == 1 and name.endswith(".bias") and not fan_in:
                tensor.add_(OFFSET)
    return parts.double()


def project(network, view):
    return network["projector"](network["encoder"](view))


def simclr(case, online, target, memory, views, label):
    z1, z2 = project(online, views[0]), project(online, views[1])
    return NTXentLoss(temperature=case["temperature"])(z1, z2), z1, z2


def keys(case, target, view):
    """Batch statistics over every groups-th row."""
    groups = case["groups"]
    out = torch.empty(BATCH, DIM, dtype=torch.float64)
    for g in range(groups):
        out[g::groups] = project(target, view[g::groups])
    return F.normalize(out)


def moco(case, online, target, memory, views, label):
    with torch.no_grad():
        k1, k2 = keys(case, target, views[0]), keys(case, target, views[1])
    criterion = NTXentLoss(temperature=case["temperature"], memory_bank_size=(case["queue"], DIM))
    losses = []
    for view, key in ((views[0], k2), (views[1], k1)):
        query = torch.cat([project(online, part) for part in view.chunk(case["groups"])])
        criterion.memory_bank.bank = memory["queue"].clone()
        criterion.memory_bank.bank_ptr = torch.zeros(1, dtype=torch.long)
        losses.append(criterion(query, key))
    memory["queue"] = torch.cat([k1, k2, memory["queue"]])[: case["queue"]]
    return (losses[0] + losses[1]) / 2, k1, k2


def simsiam(case, online, target, memory, views, label):
    z1, z2 = project(online, views[0]), project(online, views[1])
    p1, p2 = online["predictor"](z1), online["predictor"](z2)
    if case.get("stop_gradient", True):
        criterion = NegativeCosineSimilarity()
        loss = (criterion(p1, z2.detach()) + criterion(p2, z1.detach())) / 2
    else:
        loss = -(F.cosine_similarity(p1, z2).mean() + F.cosine_similarity(p2, z1).mean()) / 2
    return loss, z1, z2


def move_statistics(network, momentum):
    for module in network.modules():
        if hasattr(module, "running_mean"):
            module.momentum = momentum


def byol(case, online, target, memory, views, label):
    """Minus InfoNCE with alpha and beta, up to a constant; both orders of the views."""
    alpha, beta = case.get("temperature", 1), case.get("beta", 0)
    move_statistics(online, 0)  # as target it leaves no trace
    z1, z2 = (F.normalize(project(target or online, v)) for v in views)
    move_statistics(online, 0.1)
    if case.get("stop_gradient", True):
        z1, z2 = z1.detach(), z2.detach()
    loss = 0
    for view, own, other in ((views[0], z1, z2), (views[1], z2, z1)):
        p = project(online, view)
        if "predictor" in case:
            p = online["predictor"](p)
        p = F.normalize(p)
        loss = loss + (2 - 2 * (p * other).sum(1)).mean()
        if beta:
            same, across = torch.exp(p @ own.T / alpha), torch.exp(p @ other.T / alpha)
            total = same.sum(1) - same.diag() + across.sum(1)
            loss = loss + beta * 2 * alpha * torch.log(total).mean()
    return loss, z1, z2


def supervised(case, online, target, memory, views, label):
    y1, y2 = online["encoder"](views[0]), online["encoder"](views[1])
    logits = [online["classifier"](y) for y in (y1, y2)]
    loss = sum(F.cross_entropy(l, label, ignore_index=-1) for l in logits) / 2
    right = sum((l.argmax(1) == label).sum() for l in logits)
    memory["accuracy"] = (right / (2 * (label >= 0).sum())).item()
    return loss, y1, y2


METHODS = {f.__name__: f for f in (simclr, moco, simsiam, byol, supervised)}

CASES = [
    {"method": "simclr", "temperature": 0.5},
    {"method": "moco", "temperature": 0.1, "queue": 40, "groups": 1},
    {"method": "moco", "temperature": 0.2, "queue": 24, "groups": 4, "accumulate": 2},
    {"method": "simsiam", "output_norm": True, "predictor": NARROW},
    {"method": "simsiam", "output_norm": True, "predictor": NARROW, "predictor_rate": 10, "stop_gradient": False},
    {"method": "byol", "predictor": HIDDEN, "beta": 1, "temperature": 0.1, "ema": True},
    {"method": "byol", "predictor": HIDDEN, "target": "online", "stop_gradient": False},
    {"method": "supervised", "classes": 5},
]


def run(case):
    online = build(case)
    target = None
    if case["method"] == "moco" or case.get("ema"):
        target = copy.deepcopy(online)
        if "predictor" in target:
            del target["predictor"]
        for p in target.parameters():
            p.requires_grad_(False)
    groups = []
    for name, p in online.named_parameters():
        rate = RATE * (case.get("predictor_rate", 1) if name.startswith("predictor") else 1)
        groups.append({"params": [p], "lr": rate, "weight_decay": DECAY if p.ndim > 1 else 0})
    sgd = torch.optim.SGD(groups, lr=RATE, momentum=MOMENTUM)
    memory = {}
    if case["method"] == "moco":
        memory["queue"] = torch.from_numpy(fill("queue", (case["queue"], DIM))).double()
    accumulate = case.get("accumulate", 1)
    losses, first, metrics = [], None, None
    for k in range(STEPS):
        online.zero_grad()
        for m in range(accumulate):
            suffix = f"{k}" if accumulate == 1 else f"{k}.{m}"
            views = [batch(f"view{v}." + suffix) for v in (1, 2)]
            label = torch.from_numpy((uniform("label." + suffix, BATCH) * 6).astype("int64") - 1)
            loss, z1, z2 = METHODS[case["method"]](case, online, target, memory, views, label)
            (loss / accumulate).backward()
            losses.append(loss.item())
            if first is None:
                first = {"online." + n: summary(p.grad * accumulate) for n, p in online.named_parameters()}
                z1, z2 = F.normalize(z1.detach()), F.normalize(z2.detach())
                cosines = z1 @ z2.T
                metrics = {
                    "target_std": (z1.std(0).mean() * math.sqrt(z1.shape[1])).item(),
                    "positive_cosine": cosines.diag().mean().item(),
                    "negative_cosine": cosines[~torch.eye(BATCH, dtype=torch.bool)].mean().item(),
                    "gradient_norm": math.sqrt(sum((p.grad**2).sum().item() for p in online.parameters())) * accumulate,
                }
                if "accuracy" in memory:
                    metrics["accuracy"] = memory["accuracy"]
        sgd.step()
        if target is not None:
            with torch.no_grad():
                tau = 1 - (1 - TAU) * (math.cos(math.pi * k / STEPS) + 1) / 2
                theta = dict(online.named_parameters())
                for name, xi in target.named_parameters():
                    xi.copy_(tau * xi + (1 - tau) * theta[name])
    state = {}
    for prefix, network in (("online.", online), ("target.", target)):
        for name, tensor in network.state_dict().items() if network is not None else ():
            if not name.endswith("num_batches_tracked"):
                state[prefix + name] = summary(tensor)
    wanted = [n for n in state if any(w in n for w in (
        "encoder.conv1.", "encoder.bn1.", "layer4.1.conv2", "projector", "predictor", "classifier"))]
    out = {n: state[n] for n in wanted}
    if "queue" in memory:
        out["queue"] = summary(memory["queue"])
    few = {n: g for n, g in first.items() if any(w in n for w in ("conv1", "bn1", "projector", "predictor", "classifier"))}
    return case | {"batch": BATCH, "size": 8, "rate": RATE, "weight_decay": DECAY, "momentum": MOMENTUM, "tau": TAU,
                   "losses": losses, "metrics": metrics, "first": few, "state": out}


if __name__ == "__main__":
    torch.set_num_threads(1)
    results = [run(case) for case in CASES]
    for r in results:
        print(r["method"], [round(x, 4) for x in r["losses"]], r["metrics"])
    with open(sys.argv[1], "w") as f:
        json.dump(results, f, indent=1)
        f.write("\n")
