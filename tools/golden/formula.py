"""The formula by which golden tests fill tensors; nn/nntest repeats it in Go.

Values are float32, depend on the tensor's name and the element's index in
PyTorch's layout only, and need no storage.
"""

import math

import numpy as np

MASK = (1 << 64) - 1


def uniform(name: str, n: int) -> np.ndarray:
    """n float64 numbers in [0, 1): multiples of 2**-24 (FNV-1a, SplitMix64)."""
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = ((h ^ byte) * 0x100000001B3) & MASK
    with np.errstate(over="ignore"):
        i = np.arange(1, n + 1, dtype=np.uint64)
        z = np.uint64(h) + i * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = (z ^ (z >> np.uint64(31))) >> np.uint64(40)
    return z.astype(np.float64) / (1 << 24)


def symmetric(name: str, n: int) -> np.ndarray:
    """n float64 numbers in [-1, 1)."""
    return 2 * uniform(name, n) - 1


def fill(name: str, shape: tuple[int, ...], fan_in: int = 0) -> np.ndarray:
    """A float32 parameter or statistic, by the kind that its name and rank tell.

    fan_in is needed for the bias of a linear layer, and tells it from a norm's.
    """
    n = math.prod(shape)
    if len(shape) == 4:
        scale, shift = math.sqrt(6 / (shape[1] * shape[2] * shape[3])), 0.0
    elif len(shape) == 2:
        scale, shift = 1 / math.sqrt(shape[1]), 0.0
    elif fan_in:
        scale, shift = 1 / math.sqrt(fan_in), 0.0
    elif name.endswith((".weight", ".running_var")):
        scale, shift = 0.25, 1.0
    else:
        scale, shift = 0.2, 0.0
    return (symmetric(name, n) * scale + shift).astype(np.float32).reshape(shape)


def image(name: str, n: int, size: int, channels: int = 3) -> np.ndarray:
    """A batch [N,H,W,C] of float32 noise in [-1, 1)."""
    return symmetric(name, n * size * size * channels).astype(np.float32).reshape(n, size, size, channels)


def sample(values: np.ndarray, count: int = 4) -> list[float]:
    """count elements at even distances, from the first."""
    flat = values.reshape(-1)
    return [float(flat[i * flat.size // count]) for i in range(min(count, flat.size))]
