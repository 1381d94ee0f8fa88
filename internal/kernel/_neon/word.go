package main

import "fmt"

// The encodings of vector instructions, from the Arm Architecture Reference Manual, chapter
// "Advanced SIMD data-processing instructions". Each is written as a word with the
// instruction in Arm's notation; a test compares them with a disassembler's.

// same is an instruction on three registers of one arrangement: d = n op m.
type same struct {
	name, form string
	code       uint32
}

var (
	fadd     = same{"fadd", "4s", 0x4E20D400}
	fsub     = same{"fsub", "4s", 0x4EA0D400}
	fmul     = same{"fmul", "4s", 0x6E20DC00}
	fdiv     = same{"fdiv", "4s", 0x6E20FC00}
	fmla     = same{"fmla", "4s", 0x4E20CC00}
	fmls     = same{"fmls", "4s", 0x4EA0CC00}
	fcmeq    = same{"fcmeq", "4s", 0x4E20E400}
	fcmge    = same{"fcmge", "4s", 0x6E20E400}
	fcmgt    = same{"fcmgt", "4s", 0x6EA0E400}
	faddD    = same{"fadd", "2d", 0x4E60D400}
	addS     = same{"add", "4s", 0x4EA08400}
	subS     = same{"sub", "4s", 0x6EA08400}
	addH     = same{"add", "8h", 0x4E608400}
	subH     = same{"sub", "8h", 0x6E608400}
	mulS     = same{"mul", "4s", 0x4EA09C00}
	addpS    = same{"addp", "4s", 0x4EA0BC00}
	andB     = same{"and", "16b", 0x4E201C00}
	bicB     = same{"bic", "16b", 0x4E601C00} // d = n &^ m
	orrB     = same{"orr", "16b", 0x4EA01C00}
	eorB     = same{"eor", "16b", 0x6E201C00}
	bsl      = same{"bsl", "16b", 0x6E601C00} // d = d ? n : m
	bit      = same{"bit", "16b", 0x6EA01C00} // d = m ? n : d
	bif      = same{"bif", "16b", 0x6EE01C00} // d = m ? d : n
	zip1H    = same{"zip1", "8h", 0x4E403800}
	zip2H    = same{"zip2", "8h", 0x4E407800}
	zip1S    = same{"zip1", "4s", 0x4E803800}
	zip2S    = same{"zip2", "4s", 0x4E807800}
	zip1D    = same{"zip1", "2d", 0x4EC03800}
	zip2D    = same{"zip2", "2d", 0x4EC07800}
	uzp1S    = same{"uzp1", "4s", 0x4E801800}
	uzp2S    = same{"uzp2", "4s", 0x4E805800}
	sqrdmulh = same{"sqrdmulh", "8h", 0x6E60B400}
)

func (o same) word(d, n, m int) string {
	return word(o.code|uint32(m)<<16|uint32(n)<<5|uint32(d), "%s v%d.%s, v%d.%s, v%d.%s", o.name, d, o.form, n, o.form, m, o.form)
}

// pair is an instruction on two registers: d = op n.
type pair struct {
	name, to, from string
	code           uint32
}

var (
	fsqrt    = pair{"fsqrt", "4s", "4s", 0x6EA1F800}
	frintn   = pair{"frintn", "4s", "4s", 0x4E218800}
	frintm   = pair{"frintm", "4s", "4s", 0x4E219800}
	frintp   = pair{"frintp", "4s", "4s", 0x4EA18800}
	frintz   = pair{"frintz", "4s", "4s", 0x4EA19800}
	fcvtns   = pair{"fcvtns", "4s", "4s", 0x4E21A800}
	fcvtzs   = pair{"fcvtzs", "4s", "4s", 0x4EA1B800}
	scvtf    = pair{"scvtf", "4s", "4s", 0x4E21D800}
	fcvtl    = pair{"fcvtl", "2d", "2s", 0x0E617800}
	fcvtl2   = pair{"fcvtl2", "2d", "4s", 0x4E617800}
	mvn      = pair{"mvn", "16b", "16b", 0x6E205800}
	xtnH     = pair{"xtn", "4h", "4s", 0x0E612800}
	xtn2H    = pair{"xtn2", "8h", "4s", 0x4E612800}
	sqxtnH   = pair{"sqxtn", "4h", "4s", 0x0E614800}
	sqxtn2H  = pair{"sqxtn2", "8h", "4s", 0x4E614800}
	sqxtnB   = pair{"sqxtn", "8b", "8h", 0x0E214800}
	sqxtn2B  = pair{"sqxtn2", "16b", "8h", 0x4E214800}
	sqxtunH  = pair{"sqxtun", "4h", "4s", 0x2E612800}
	sqxtun2H = pair{"sqxtun2", "8h", "4s", 0x6E612800}
	sqxtunB  = pair{"sqxtun", "8b", "8h", 0x2E212800}
	sqxtun2B = pair{"sqxtun2", "16b", "8h", 0x6E212800}
	uxtlB    = pair{"uxtl", "8h", "8b", 0x2F08A400}
	uxtl2B   = pair{"uxtl2", "8h", "16b", 0x6F08A400}
	uxtlH    = pair{"uxtl", "4s", "4h", 0x2F10A400}
	uxtl2H   = pair{"uxtl2", "4s", "8h", 0x6F10A400}
	sxtlH    = pair{"sxtl", "4s", "4h", 0x0F10A400}
	sxtl2H   = pair{"sxtl2", "4s", "8h", 0x4F10A400}
	dupS     = pair{"dup", "4s", "s[0]", 0x4E040400}
	dupH     = pair{"dup", "8h", "h[0]", 0x4E020400}
)

func (o pair) word(d, n int) string {
	return word(o.code|uint32(n)<<5|uint32(d), "%s v%d.%s, v%d.%s", o.name, d, o.to, n, o.from)
}

// shift is a shift by a constant of elements of so many bits.
type shift struct {
	name, form string
	code       uint32
	bits       int
	right      bool
}

var (
	shlS  = shift{"shl", "4s", 0x4F005400, 32, false}
	ushrS = shift{"ushr", "4s", 0x6F000400, 32, true}
	sshrS = shift{"sshr", "4s", 0x4F000400, 32, true}
	shlH  = shift{"shl", "8h", 0x4F005400, 16, false}
	ushrH = shift{"ushr", "8h", 0x6F000400, 16, true}
	sshrH = shift{"sshr", "8h", 0x4F000400, 16, true}
	sshrB = shift{"sshr", "16b", 0x4F000400, 8, true}
)

func (o shift) word(d, n, by int) string {
	field := o.bits + by
	if o.right {
		field = 2*o.bits - by
	}
	return word(o.code|uint32(field)<<16|uint32(n)<<5|uint32(d), "%s v%d.%s, v%d.%s, #%d", o.name, d, o.form, n, o.form, by)
}

// fmlaLane is d += n·m[lane].
func fmlaLane(d, n, m, lane int) string {
	return word(0x4F801000|uint32(lane&1)<<21|uint32(lane>>1)<<11|uint32(m)<<16|uint32(n)<<5|uint32(d),
		"fmla v%d.4s, v%d.4s, v%d.s[%d]", d, n, m, lane)
}

// stnp stores two registers past the caches, at a multiple of 16 bytes from -1024 to 1008
// behind x[base].
func stnp(r0, r1, base, disp int) string {
	place := fmt.Sprintf("[x%d]", base)
	if disp != 0 {
		place = fmt.Sprintf("[x%d, #%d]", base, disp)
	}
	return word(0xAC000000|uint32(disp/16&127)<<15|uint32(r1)<<10|uint32(base)<<5|uint32(r0), "stnp q%d, q%d, %s", r0, r1, place)
}

// move is d = n.
func move(d, n int) string {
	return word(orrB.code|uint32(n)<<16|uint32(n)<<5|uint32(d), "mov v%d.16b, v%d.16b", d, n)
}

// zero is d = 0.
func zero(d int) string { return word(0x6F00E400|uint32(d), "movi v%d.2d, #0x0", d) }

// dupLane is d[i] = n[lane] of 32 bits.
func dupLane(d, n, lane int) string {
	return word(0x4E040400|uint32(lane)<<19|uint32(n)<<5|uint32(d), "dup v%d.4s, v%d.s[%d]", d, n, lane)
}

// insS is d[i] = n[j] of 32 bits, insD of 64.
func insS(d, i, n, j int) string {
	return word(0x6E040400|uint32(i)<<19|uint32(j)<<13|uint32(n)<<5|uint32(d), "mov v%d.s[%d], v%d.s[%d]", d, i, n, j)
}

func insD(d, i, n, j int) string {
	return word(0x6E080400|uint32(i)<<20|uint32(j)<<14|uint32(n)<<5|uint32(d), "mov v%d.d[%d], v%d.d[%d]", d, i, n, j)
}

// ext is the bytes from by on of n followed by m.
func ext(d, n, m, by int) string {
	return word(0x6E000000|uint32(m)<<16|uint32(by)<<11|uint32(n)<<5|uint32(d), "ext v%d.16b, v%d.16b, v%d.16b, #%d", d, n, m, by)
}

// tbl is d[i] = n[m[i]] of bytes, 0 where m[i] is above 15.
func tbl(d, n, m int) string {
	return word(0x4E000000|uint32(m)<<16|uint32(n)<<5|uint32(d), "tbl v%d.16b, {v%d.16b}, v%d.16b", d, n, m)
}

// smull is the products of the lower (upper: smull2) halves of 16 bits, of 32 bits each.
func smull(d, n, m int) string {
	return word(0x0E60C000|uint32(m)<<16|uint32(n)<<5|uint32(d), "smull v%d.4s, v%d.4h, v%d.4h", d, n, m)
}

func smull2(d, n, m int) string {
	return word(0x4E60C000|uint32(m)<<16|uint32(n)<<5|uint32(d), "smull2 v%d.4s, v%d.8h, v%d.8h", d, n, m)
}

func word(code uint32, format string, args ...any) string {
	return fmt.Sprintf("\tWORD $0x%08x // ", code) + fmt.Sprintf(format, args...)
}

// tbl2 is tbl on the 32 bytes of n and the register behind it.
func tbl2(d, n, m int) string {
	return word(0x4E002000|uint32(m)<<16|uint32(n)<<5|uint32(d), "tbl v%d.16b, {v%d.16b, v%d.16b}, v%d.16b", d, n, n+1, m)
}

// dupD is d[i] = n[lane] of 64 bits.
func dupD(d, n, lane int) string {
	return word(0x4E080400|uint32(lane)<<20|uint32(n)<<5|uint32(d), "dup v%d.2d, v%d.d[%d]", d, n, lane)
}

// addv is the sum of n's four words.
func addv(d, n int) string {
	return word(0x4EB1B800|uint32(n)<<5|uint32(d), "addv s%d, v%d.4s", d, n)
}
