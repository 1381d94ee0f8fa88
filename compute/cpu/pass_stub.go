package cpu

func simplify(p *program)          {}
func reuseReLUOutput(p *program)   {}
func fuse(p *program)              {}
func schedule(p *program)          {}
