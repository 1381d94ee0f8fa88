package compute

import (
	"fmt"
	"runtime"

	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/shapes"
	"github.com/gomlx/gomlx/pkg/core/tensors"
)

// Compile compiles the computation that build makes of parameters of the given shapes.
// Unlike graph.Exec it needs no values, so that what does not fit is known before anything
// is allocated. What GoMLX panics with, it returns.
func Compile(b Backend, name string, params []shapes.Shape, build func([]*graph.Node) []*graph.Node) (*graph.Graph, error) {
	g := graph.NewGraph(b, name)
	err := try(func() {
		inputs := make([]*graph.Node, len(params))
		for i, shape := range params {
			inputs[i] = graph.Parameter(g, fmt.Sprintf("arg%d", i), shape)
		}
		g.Compile(build(inputs)...)
	})
	if err != nil {
		g.Finalize()
		return nil, fmt.Errorf("compiling the %s: %w", name, err)
	}
	return g, nil
}

// Run executes a compiled graph; the arguments are what graph.Graph.Run takes.
func Run(g *graph.Graph, args ...any) (out []*tensors.Tensor, err error) {
	err = try(func() { out = g.Run(args...) })
	return out, err
}

// try turns a panic of GoMLX, whose value is an error, into an error. Those of the runtime
// are mistakes of the program and go on.
func try(f func()) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case runtime.Error:
			panic(r)
		case error:
			err = r
		default:
			panic(r)
		}
	}()
	f()
	return nil
}
