"""Pictures on their way to a network, on one core: decode a JPEG and make BYOL's two views; prints one JSON object.

    python3 augment.py --engine torchvision|v2|albumentations --data DIR --size 224

Up to 64 pixels the pictures are decoded before, as byol holds small data sets in memory.
"""

import argparse
import io
import json
import pathlib
import time

import numpy as np
import torch
from PIL import Image

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
VIEWS = [{"blur": 1.0, "solarize": 0.0}, {"blur": 0.1, "solarize": 0.2}]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=["torchvision", "v2", "albumentations"], default="torchvision")
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--limit", type=int, default=256)
    parser.add_argument("--repeat", type=int, default=3)
    return parser.parse_args()


def torchvision_view(size, blur, solarize, new):
    """Returns the view's function, of the old transforms on PIL pictures or the new ones on tensors."""
    import torchvision.transforms.v2

    t = torchvision.transforms.v2 if new else torchvision.transforms
    bicubic = torchvision.transforms.InterpolationMode.BICUBIC
    to_float = [t.ToDtype(torch.float32, scale=True)] if new else [t.ToTensor()]
    blurred = [t.RandomApply([t.GaussianBlur(size // 10 | 1, (0.1, 2.0))], blur)] if size > 32 else []
    return t.Compose([
        t.RandomResizedCrop(size, (0.08, 1.0), interpolation=bicubic, antialias=True), t.RandomHorizontalFlip(),
        t.RandomApply([t.ColorJitter(0.4, 0.4, 0.2, 0.1)], 0.8), t.RandomGrayscale(0.2),
        *blurred, t.RandomSolarize(128, solarize), *to_float, t.Normalize(MEAN, STD)])


def albumentations_view(size, blur, solarize):
    import albumentations as a
    import cv2

    kernel = max(3, size // 10 | 1)
    blurred = [a.GaussianBlur((kernel, kernel), (0.1, 2.0), p=blur)] if size > 32 else []
    view = a.Compose([
        a.RandomResizedCrop((size, size), scale=(0.08, 1.0), interpolation=cv2.INTER_CUBIC), a.HorizontalFlip(p=0.5),
        a.ColorJitter(0.4, 0.4, 0.2, 0.1, p=0.8), a.ToGray(p=0.2), *blurred, a.Solarize(p=solarize), a.Normalize(MEAN, STD)])
    return lambda picture: view(image=picture)["image"]


def engine(options):
    """Returns a decoder, the two views, and the library's name and version."""
    if options.engine == "albumentations":
        import albumentations
        import cv2

        cv2.setNumThreads(1)
        decode = lambda data: cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        views = [albumentations_view(options.size, **v) for v in VIEWS]
        return decode, views, f"Albumentations {albumentations.__version__}, OpenCV {cv2.__version__}"
    import torchvision.transforms.v2

    new = options.engine == "v2"
    if new:
        from torchvision.io import ImageReadMode, decode_jpeg

        decode = lambda data: decode_jpeg(torch.frombuffer(bytearray(data), dtype=torch.uint8), mode=ImageReadMode.RGB)
    else:
        decode = lambda data: Image.open(io.BytesIO(data)).convert("RGB")
    return decode, [torchvision_view(options.size, new=new, **v) for v in VIEWS], "torchvision " + torchvision.__version__


def main():
    options = arguments()
    torch.set_num_threads(1)
    files = sorted(p for p in options.data.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg"))[:options.limit]
    pictures = [p.read_bytes() for p in files]
    decode, views, version = engine(options)
    if options.size <= 64:
        pictures, decode = [decode(p) for p in pictures], lambda picture: picture
    seconds = []
    for _ in range(options.repeat + 1):
        start = time.perf_counter()
        for p in pictures:
            picture = decode(p)
            for view in views:
                view(picture)
        seconds.append(time.perf_counter() - start)
    import resource

    print(json.dumps({
        "images_per_s": len(pictures) / sorted(seconds[1:])[options.repeat // 2], "version": version,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, "isa": "one core"}))


if __name__ == "__main__":
    main()
