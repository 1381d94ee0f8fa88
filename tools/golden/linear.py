"""Makes eval/testdata/linear.json: linear classifiers of scikit-learn and PyTorch.

Made with Python 3.11, scikit-learn 1.9.1 and PyTorch 2.15.0, in float64:

    python tools/golden/linear.py eval/testdata/linear.json

Features and labels are those of eval/logistic_test.go: N rows of D features,
float32, spread unevenly; the label is the largest of K features, disturbed.
"""

import json
import sys

import numpy as np
import torch
from formula import symmetric
from sklearn.linear_model import LogisticRegression

N, D, K = 240, 6, 4


def data(name: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    x = symmetric(name, n * D).astype(np.float32).astype(np.float64).reshape(n, D)
    noise = symmetric(name + ".noise", n * K).reshape(n, K)
    y = np.argmax(x[:, :K] + noise, axis=1)
    x = x * (1 + np.arange(D)) + np.arange(D)  # exact in float32
    return x.astype(np.float32).astype(np.float64), y


def logistic() -> list[dict]:
    x, y = data("train", N)
    xt, yt = data("test", N)
    mean, deviation = x.mean(0), x.std(0)
    cases = []
    for l2 in (100.0, 1.0, 0.01):
        m = LogisticRegression(C=1 / l2, tol=1e-10, max_iter=10000).fit((x - mean) / deviation, y)
        cases.append({"l2": l2, "weight": m.coef_.tolist(), "bias": m.intercept_.tolist(), "top1": m.score((xt - mean) / deviation, yt)})
    return cases


def sgd() -> dict:
    """Five steps of Nesterov's method on one batch, from a start by the formula."""
    x, y = (torch.from_numpy(a) for a in data("train", N))
    w = torch.from_numpy(symmetric("weight", K * D).reshape(K, D)).requires_grad_()
    b = torch.from_numpy(symmetric("bias", K)).requires_grad_()
    o = torch.optim.SGD([w, b], lr=0.1, momentum=0.9, nesterov=True)
    losses = []
    for _ in range(5):
        loss = torch.nn.functional.cross_entropy(x @ w.T + b, y)
        o.zero_grad()
        loss.backward()
        o.step()
        losses.append(loss.item())
    return {"weight": w.tolist(), "bias": b.tolist(), "losses": losses}


if __name__ == "__main__":
    with open(sys.argv[1], "w") as f:
        json.dump({"logistic": logistic(), "sgd": sgd()}, f)
        f.write("\n")
