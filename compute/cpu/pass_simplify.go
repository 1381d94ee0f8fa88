package cpu

func simplify(p *program) {}
func schedule(p *program) {}
