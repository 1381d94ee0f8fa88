"""Goldens of augmentation and preparation from torchvision and Pillow.

Made with torch 2.15.0, torchvision 0.29.2, Pillow 13.0.0, numpy 2.4.6.
usage, from the repository's root: augment.py      (writes augment/testdata/augment.json, dataset/testdata/preprocess.json)

Pictures come from a formula that the tests repeat (see picture); of each result some samples are stored.
"""
import json, math, random
import numpy as np, torch
from PIL import Image
import torchvision.transforms as T
import torchvision.transforms.functional as F

def picture(w, h, c=3):
    y, x, k = np.meshgrid(np.arange(h), np.arange(w), np.arange(c), indexing='ij')
    v = 128 + 80 * ((x // 5 + y // 7 + k) % 3 - 1) + (x * (3 + k) + y * (5 - k)) % 41 - 20 + (x * x + y * 3 + k * 11) % 13
    return np.clip(v, 0, 255).astype(np.uint8)

STRIDE = 61  # of the samples stored
def samples(a):  # a: [H,W,C]
    return [float('%.7g' % v) for v in np.ascontiguousarray(a).reshape(-1)[::STRIDE]]
def hwc(t): return t.permute(1, 2, 0).numpy()

MEAN, STD = (.485, .456, .406), (.229, .224, .225)
S = 64
base = torch.from_numpy(picture(S, S)).permute(2, 0, 1).float() / 255
steps = {
    'brightness 1.35': F.adjust_brightness(base, 1.35), 'brightness 0.6': F.adjust_brightness(base, 0.6),
    'contrast 1.4': F.adjust_contrast(base, 1.4), 'contrast 0.65': F.adjust_contrast(base, 0.65),
    'saturation 1.2': F.adjust_saturation(base, 1.2), 'saturation 0.8': F.adjust_saturation(base, 0.8),
    'hue 0.1': F.adjust_hue(base, 0.1), 'hue -0.07': F.adjust_hue(base, -0.07), 'hue 0.5': F.adjust_hue(base, 0.5),
    'gray': F.rgb_to_grayscale(base, 3), 'flip': F.hflip(base),
    'blur 0.1': F.gaussian_blur(base, [7, 7], [.1, .1]), 'blur 0.8': F.gaussian_blur(base, [7, 7], [.8, .8]), 'blur 2': F.gaussian_blur(base, [7, 7], [2., 2.]),
    'solarize 0.5': F.solarize(base, 0.5),
}
out = {'size': S, 'stride': STRIDE, 'steps': {k: samples(hwc(v)) for k, v in steps.items()}}
out['normalize'] = samples(hwc(F.normalize(base, MEAN, STD)))

def chain(x, v):
    if v['flip']: x = F.hflip(x)
    for o in v['order']:
        x = [lambda: F.adjust_brightness(x, v['brightness']), lambda: F.adjust_contrast(x, v['contrast']),
             lambda: F.adjust_saturation(x, v['saturation']), lambda: F.adjust_hue(x, v['hue'])][o]()
    if v['gray']: x = F.rgb_to_grayscale(x, 3)
    if v['sigma']: x = F.gaussian_blur(x, [7, 7], [v['sigma']] * 2)
    if v['solarize']: x = F.solarize(x, 0.5)
    return F.normalize(x, MEAN, STD)
views = [
    dict(flip=True, order=[2, 0, 3, 1], brightness=1.2, contrast=.7, saturation=1.15, hue=-.08, gray=False, sigma=.9, solarize=True),
    dict(flip=False, order=[3, 1, 0, 2], brightness=.75, contrast=1.3, saturation=.85, hue=.05, gray=False, sigma=0, solarize=False),
    dict(flip=True, order=[1, 3, 2, 0], brightness=1.05, contrast=1.1, saturation=1.0, hue=.1, gray=True, sigma=1.6, solarize=True)]
out['chains'] = [dict(v, want=samples(hwc(chain(base, v)))) for v in views]

# Crop and resize against Pillow: source size, box, output size, filter.
out['crops'] = []
for w, h, box, size, name in [(90, 70, (11, 5, 60, 48), 32, 'bicubic'), (90, 70, (0, 0, 90, 70), 24, 'bicubic'), (40, 50, (7, 9, 12, 10), 48, 'bicubic'),
                              (90, 70, (20, 3, 37, 61), 32, 'bilinear'), (33, 31, (1, 2, 30, 29), 32, 'bilinear')]:
    x, y, bw, bh = box
    im = Image.fromarray(picture(w, h)).crop((x, y, x + bw, y + bh)).resize((size, size), getattr(Image.Resampling, name.upper()))
    out['crops'].append(dict(w=w, h=h, box=list(box), size=size, filter=name, want=[int(v) for v in np.asarray(im).reshape(-1)[::STRIDE]]))

# The fallback of RandomResizedCrop: with all of the area and an aspect that does not fit, no try succeeds.
out['fallback'] = []
for w, h in [(100, 10), (10, 100), (101, 33), (7, 64)]:
    i, j, ch, cw = T.RandomResizedCrop.get_params(Image.new('RGB', (w, h)), (1., 1.), (3 / 4, 4 / 3))
    out['fallback'].append([w, h, j, i, cw, ch])
# The distribution of boxes: means and deviations of area share, log aspect, and relative centre.
torch.manual_seed(0); random.seed(0)
out['boxes'] = []
for w, h in [(32, 32), (500, 375)]:
    im, r = Image.new('RGB', (w, h)), []
    for _ in range(40000):
        i, j, ch, cw = T.RandomResizedCrop.get_params(im, (.08, 1.), (3 / 4, 4 / 3))
        r.append([ch * cw / (w * h), math.log(cw / ch), (j + cw / 2) / w, (i + ch / 2) / h])
    a = np.array(r)
    out['boxes'].append(dict(w=w, h=h, mean=[round(float(v), 5) for v in a.mean(0)], std=[round(float(v), 5) for v in a.std(0)]))
json.dump(out, open('augment/testdata/augment.json', 'w'), separators=(',', ':'))

pre = []
for w, h, c, size in [(90, 70, 3, 32), (50, 120, 3, 56), (32, 32, 3, 32), (20, 28, 3, 32), (61, 61, 1, 28)]:
    im = Image.fromarray(picture(w, h, c)[..., 0] if c == 1 else picture(w, h, c))
    if min(w, h) > size: im = F.resize(im, round(size * 256 / 224), T.InterpolationMode.BICUBIC)
    elif min(w, h) < size: im = F.resize(im, size, T.InterpolationMode.BICUBIC)
    im = F.center_crop(im, size)
    t = F.normalize(F.to_tensor(im), MEAN[:c] if c == 3 else [.449], STD[:c] if c == 3 else [.226])
    pre.append(dict(w=w, h=h, channels=c, size=size, want=samples(hwc(t))))
json.dump({'stride': STRIDE, 'cases': pre}, open('dataset/testdata/preprocess.json', 'w'), separators=(',', ':'))
