"""Goldens for internal/kernel/pixel: torchvision's float steps on one picture.

usage: python pixel.py              writes ../../internal/kernel/pixel/testdata/torchvision.json
Made with torch 2.15 and torchvision's functional tensor API, CPU, float32.
The picture is made by formula (picture() here, goldenPicture() in the Go tests).
"""
import json, os
import torch, torchvision
import torchvision.transforms.functional as F

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../internal/kernel/pixel/testdata')
H, W = 17, 13


def picture():
    s, v = 7, []
    for _ in range(H * W * 3):
        s = (s * 1664525 + 1013904223) % 2**32
        v.append((s >> 24) / 255)
    for i in range(0, 60, 3): v[i + 1] = v[i + 2] = v[i]    # some grays
    for i in range(60, 90, 3): v[i + 1] = v[i]              # two channels equal
    for i in range(90, 99): v[i] = (i % 2) * 1.0            # and extremes
    return torch.tensor(v, dtype=torch.float32).reshape(H, W, 3).permute(2, 0, 1).contiguous()


x, cases = picture(), []
def add(step, y, **k): cases.append(dict(step=step, out=[float('%.7g' % v) for v in y.permute(1, 2, 0).flatten().tolist()], **k))
for f in (.6, 1.4): add('brightness', F.adjust_brightness(x, f), factor=f)
for f in (.6, 1.4): add('contrast', F.adjust_contrast(x, f), factor=f)
for f in (0., .8, 1.2): add('saturation', F.adjust_saturation(x, f), factor=f)
for f in (-.5, -.1, 0., .07, .5): add('hue', F.adjust_hue(x, f), factor=f)
add('gray', F.rgb_to_grayscale(x, 3))
for k, s in ((3, .1), (3, 2.), (5, .7), (23, 1.3)): add('blur', F.gaussian_blur(x, [k, k], [s, s]), taps=k, factor=s)
add('solarize', F.solarize(x, .5), factor=.5)
add('normalize', F.normalize(x, [.485, .456, .406], [.229, .224, .225]))
os.makedirs(OUT, exist_ok=True)
json.dump(cases, open(OUT + '/torchvision.json', 'w'))
