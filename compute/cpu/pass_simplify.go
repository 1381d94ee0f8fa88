package cpu

func simplify(p *program) {}
