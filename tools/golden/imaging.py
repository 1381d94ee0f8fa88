"""Goldens for package imaging: what Pillow decodes and resizes.

usage: python imaging.py            writes ../../imaging/testdata/{decode,resize}.json
Made with Pillow 13.0.0, libjpeg-turbo, libwebp and libtiff as bundled in its wheel.

The pictures are made by formula (picture() here, testPicture() in the Go tests).
"""
import base64, io, json, os, struct, zlib
import numpy as np
from PIL import Image, ImageOps

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../imaging/testdata')


def picture(w, h, seed=1):
    """A smooth gradient with an LCG's noise: [h,w,3] uint8."""
    a, s = np.zeros((h, w, 3), np.uint8), seed
    for y in range(h):
        for x in range(w):
            for c in range(3):
                s = (s * 1664525 + 1013904223) % 2**32
                a[y, x, c] = ((x * 255 // max(w - 1, 1)) * (c + 1) + y * 255 // max(h - 1, 1) * (3 - c) + (s >> 26)) // 4 % 256
    return a


def stripes(w, h):
    """Black and white checks: overshoot everywhere."""
    y, x = np.mgrid[:h, :w]
    return np.repeat((((x // 3 + y // 2) % 2) * 255).astype(np.uint8)[..., None], 3, -1)


def b64(b): return base64.b64encode(bytes(b)).decode()


def save(im, fmt, **k):
    f = io.BytesIO(); im.save(f, fmt, **k); return f.getvalue()


def resize():
    F = {'bicubic': Image.BICUBIC, 'bilinear': Image.BILINEAR, 'box': Image.BOX, 'lanczos': Image.LANCZOS}
    cases = []
    def add(kind, w, h, ow, oh, f, box=None, crop=None, gray=False):
        a = picture(w, h) if kind == 'noise' else stripes(w, h)
        im = Image.fromarray(a)
        if gray: im = im.convert('L')
        if crop: im = im.crop((crop[0], crop[1], crop[0] + crop[2], crop[1] + crop[3]))
        o = im.resize((ow, oh), F[f], box=box)
        cases.append(dict(kind=kind, w=w, h=h, ow=ow, oh=oh, filter=f, box=box, crop=crop, c=1 if gray else 3, pix=b64(np.asarray(o).tobytes())))
    for f in F:
        add('noise', 37, 29, 16, 13, f)
        add('noise', 37, 29, 50, 31, f)
        add('stripes', 37, 29, 16, 40, f)
    for kind in ('noise', 'stripes'):
        add(kind, 37, 29, 16, 16, 'bicubic', box=(3.25, 2.5, 30.75, 28))
        add(kind, 37, 29, 37, 11, 'bicubic')
        add(kind, 37, 29, 12, 29, 'bicubic')
        add(kind, 37, 29, 32, 32, 'bicubic', crop=(5, 7, 20, 18))
        add(kind, 37, 29, 32, 32, 'bilinear', crop=(17, 0, 20, 29))
        add(kind, 37, 29, 24, 24, 'bicubic', crop=(36, 28, 1, 1))
        add(kind, 37, 29, 16, 16, 'bicubic', crop=(2, 3, 2, 26))
        add(kind, 64, 48, 8, 8, 'bicubic')
        add(kind, 37, 29, 20, 20, 'bicubic', gray=True)
        add(kind, 37, 29, 20, 20, 'bilinear', crop=(4, 4, 9, 25), gray=True)
    json.dump(cases, open(OUT + '/resize.json', 'w'), indent=0)


def chunk(kind, body): return struct.pack('>I', len(body)) + kind + body + struct.pack('>I', zlib.crc32(kind + body))


def png(w, h, depth, colour, raw, extra=b''):
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', w, h, depth, colour, 0, 0, 0)) + extra + chunk(b'IDAT', zlib.compress(raw, 9)) + chunk(b'IEND', b'')


def decode():
    W, H = 21, 17
    a = picture(W, H); im = Image.fromarray(a)
    rgba = np.dstack([a, (np.arange(W * H).reshape(H, W) * 7 % 256).astype(np.uint8)])
    alpha = Image.fromarray(rgba)
    cases = []
    def add(name, data, want=None):
        if want is None:
            i = Image.open(io.BytesIO(data)); i.load(); i = ImageOps.exif_transpose(i).convert('RGB')
            want = np.asarray(i)
        gray = np.asarray(Image.fromarray(want).convert('L'))
        cases.append(dict(name=name, file=b64(data), w=want.shape[1], h=want.shape[0], rgb=b64(want.tobytes()), graycrc=zlib.crc32(gray.tobytes())))
    for n, s in (('444', 0), ('422', 1), ('420', 2)):
        add('jpeg-' + n, save(im, 'JPEG', quality=90, subsampling=s))
        add('jpeg-progressive-' + n, save(im, 'JPEG', quality=80, subsampling=s, progressive=True))
    add('jpeg-restart', save(im, 'JPEG', quality=90, restart_marker_blocks=1))
    add('jpeg-restart-progressive', save(im, 'JPEG', quality=90, progressive=True, restart_marker_blocks=2))
    add('jpeg-optimized', save(im, 'JPEG', quality=100, optimize=True, subsampling=0))
    add('jpeg-quality-1', save(im, 'JPEG', quality=1))
    big = Image.fromarray(picture(101, 67))
    add('jpeg-large-420', save(big, 'JPEG', quality=75))
    add('jpeg-gray', save(im.convert('L'), 'JPEG', quality=90))
    add('jpeg-1x1', save(im.crop((0, 0, 1, 1)), 'JPEG', quality=90))
    add('jpeg-420-2x3', save(im.crop((0, 0, 2, 3)), 'JPEG', quality=90, subsampling=2))
    add('jpeg-rgb', save(im, 'JPEG', quality=90, keep_rgb=True))
    add('jpeg-cmyk-adobe', save(im.convert('CMYK'), 'JPEG', quality=95))
    cmyk = save(im.convert('CMYK'), 'JPEG', quality=95)
    i = cmyk.index(b'\xff\xee'); n = struct.unpack('>H', cmyk[i + 2:i + 4])[0]
    add('jpeg-cmyk-plain', cmyk[:i] + cmyk[i + 2 + n:])
    add('jpeg-ycck', cmyk[:i + 15] + b'\x02' + cmyk[i + 16:])
    for o in range(1, 9):
        e = Image.Exif(); e[0x112] = o
        add('jpeg-orientation-%d' % o, save(im, 'JPEG', quality=95, subsampling=0, exif=e))
    e = Image.Exif(); e[0x112] = 6
    add('png-orientation-6', save(im, 'PNG', exif=e))
    add('webp-orientation-6', save(im, 'WEBP', lossless=True, exif=e))
    add('tiff-orientation-8', save(im, 'TIFF', tiffinfo={0x112: 8}))
    e[0x112] = 11
    add('jpeg-orientation-11', save(im, 'JPEG', quality=95, subsampling=0, exif=e))
    add('png-rgb', save(im, 'PNG'))
    add('png-rgba', save(alpha, 'PNG'))
    add('png-gray', save(im.convert('L'), 'PNG'))
    add('png-gray-alpha', save(alpha.convert('LA'), 'PNG'))
    add('png-1bit', save(im.convert('1'), 'PNG'))
    add('png-palette', save(im.quantize(16), 'PNG'))
    add('png-palette-transparent', save(im.quantize(16), 'PNG', transparency=bytes([0, 128, 255, 7])))
    hi = np.random.RandomState(3).randint(0, 65536, (H, W)).astype('>u2')
    add('png-gray-16', png(W, H, 16, 0, b''.join(b'\0' + r.tobytes() for r in hi)), want=np.repeat((hi >> 8).astype(np.uint8)[..., None], 3, -1))
    hi3 = np.random.RandomState(4).randint(0, 65536, (H, W, 3)).astype('>u2')
    add('png-rgb-16', png(W, H, 16, 2, b''.join(b'\0' + r.tobytes() for r in hi3)), want=(hi3 >> 8).astype(np.uint8))
    add('png-rgb-trns', png(W, H, 8, 2, b''.join(b'\0' + r.tobytes() for r in a), chunk(b'tRNS', struct.pack('>HHH', *[int(v) for v in a[3, 4]]))))
    add('gif', save(im.quantize(32), 'GIF'))
    add('gif-transparent', save(im.quantize(32), 'GIF', transparency=3))
    g = save(im.quantize(32), 'GIF', transparency=3)
    j = g.index(b'\x2c', 13 + 96)
    add('gif-offset', g[:6] + struct.pack('<HH', W + 5, H + 4) + g[10:j + 1] + struct.pack('<HH', 2, 3) + g[j + 5:])
    add('gif-animated', save(im.quantize(32), 'GIF', save_all=True, append_images=[im.rotate(90).quantize(32)]))
    for mode in ('1', 'L', 'P', 'RGB', 'RGBA'):
        src = alpha if mode == 'RGBA' else im.quantize(16) if mode == 'P' else im.convert(mode)
        add('bmp-' + mode, save(src, 'BMP'))
        add('tiff-' + mode, save(src, 'TIFF'))
    t = bytearray(save(alpha, 'TIFF'))
    k = t.index(struct.pack('<HHI', 338, 3, 1))     # ExtraSamples: 2 = alpha, 1 = alpha that the colours are multiplied by
    t[k + 8] = 1
    add('tiff-RGBa', bytes(t))
    for c in ('tiff_lzw', 'tiff_deflate', 'packbits'): add('tiff-' + c, save(im, 'TIFF', compression=c))
    add('tiff-g4', save(im.convert('1'), 'TIFF', compression='group4'))
    add('webp-lossy', save(im, 'WEBP', quality=80))
    add('webp-lossy-alpha', save(alpha, 'WEBP', quality=80, exact=True))
    add('webp-lossless', save(im, 'WEBP', lossless=True))
    add('webp-lossless-alpha', save(alpha, 'WEBP', lossless=True, exact=True))
    w = bytearray(save(im, 'WEBP', lossless=True, save_all=True, append_images=[im.rotate(180)]))
    w[24:30] = struct.pack('<I', W + 5)[:3] + struct.pack('<I', H + 3)[:3]       # canvas, less one
    k = w.index(b'ANMF') + 8
    w[k:k + 6] = struct.pack('<I', 2)[:3] + struct.pack('<I', 1)[:3]            # half the place of the frame
    add('webp-animated-offset', bytes(w))
    def bmp(header, body): return b'BM' + struct.pack('<IHHI', 14 + len(header) + len(body), 0, 0, 14 + len(header)) + header + body
    def info(w, h, bits, compression): return struct.pack('<IiiHHIIiiII', 40, w, h, 1, bits, compression, 0, 0, 0, 0, 0)
    pal = bytes(range(256)) * 4
    px = np.random.RandomState(5).randint(0, 256, 600).astype(np.uint8).tobytes()
    add('bmp-os2', bmp(struct.pack('<IHHHH', 12, 5, 4, 1, 4) + pal[:48], px[:16]))
    add('bmp-top-down', bmp(info(5, -4, 24, 0), px[:64]))
    add('bmp-555', bmp(info(5, 4, 16, 0), px[:48]))
    add('bmp-565', bmp(info(5, 4, 16, 3) + struct.pack('<III', 0xf800, 0x7e0, 0x1f), px[:48]))
    add('bmp-rle8', bmp(info(9, 3, 8, 1) + pal, bytes([4, 7, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0, 9, 200, 0, 0, 9, 99, 0, 1])))
    add('bmp-rle4', bmp(info(9, 3, 4, 2) + pal[:64], bytes([4, 0x71, 0, 5, 0x12, 0x34, 0x50, 0, 0, 0, 9, 0xab, 0, 0, 9, 0x99, 0, 1])))
    json.dump(cases, open(OUT + '/decode.json', 'w'), indent=0)


resize(); decode()
