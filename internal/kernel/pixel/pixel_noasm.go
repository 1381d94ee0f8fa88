package pixel

func ycbcrToRGB(dst, y, cb, cr []uint8) (done int) { return 0 }

func upsampleH2V2(dst, near, far []uint8) { upsampleH2V2Ref(dst, near, far) }
