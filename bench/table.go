package bench

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize"
)

// Print writes the machine's limits in a few lines.
func (m Machine) Print(w io.Writer) error {
	var text strings.Builder
	fmt.Fprintf(&text, "machine   %s, %d threads, %s\n", m.Processor, m.Threads, m.ISA)
	fmt.Fprintf(&text, "arithmetic")
	for i, a := range m.Arithmetic {
		if !a.IsPeak && len(m.Arithmetic) > 1 {
			continue
		}
		separator := ","
		if i <= 1 {
			separator = ""
		}
		fmt.Fprintf(&text, "%s %.0f GFLOP/s %s %s", separator, a.FLOPS/1e9, a.Type, a.ISA)
	}
	if !m.IsPeak() {
		fmt.Fprintf(&text, " (a loop in Go: no peak, shares may exceed 100 %%)")
	}
	fmt.Fprintf(&text, "\nmemory   ")
	for i, s := range m.Memory {
		if i > 0 {
			fmt.Fprintf(&text, ",")
		}
		fmt.Fprintf(&text, " %s %.0f/%.0f/%.0f", humanize.IBytes(uint64(s.Bytes)), s.Read/1e9, s.Write/1e9, s.Copy/1e9)
	}
	fmt.Fprintf(&text, " GB/s (read/write/copy)\n")
	_, err := io.WriteString(w, text.String())
	return err
}

// Print writes a table of the kinds by time, and with all of every node below its kind.
func (o OpsResult) Print(w io.Writer, all bool) error {
	if err := o.Machine.Print(w); err != nil {
		return err
	}
	fmt.Fprintf(w, "step      %.1f ms for %d pictures, %s (%.1f images/s); with every node timed %.1f ms: %d nodes %.1f ms, between nodes %.1f ms\n",
		1e3*o.StepS, o.Batch, o.Precision, float64(o.Batch)/o.StepS, 1e3*o.TracedS, len(o.Nodes), 1e3*o.NodesS, 1e3*o.BetweenS)
	fmt.Fprintf(w, "work      %.1f GFLOP, %.1f of them done, %.2f GB: the nodes' floors add up to %.1f ms, %.0f %% of the step\n\n",
		o.FLOP/1e9, o.Done/1e9, o.Bytes/1e9, 1e3*o.FloorS, 100*o.FloorS/o.StepS)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "nodes\tms\tof step\tGFLOP\tGFLOP/s\tMB\tGB/s\tof roof\t  kind")
	for _, k := range o.Kinds {
		o.row(t, fmt.Sprint(k.Nodes), k.Seconds, k.Count, k.Share, k.Kind)
		if !all {
			continue
		}
		for _, n := range o.Nodes {
			if n.Kind == k.Kind {
				o.row(t, fmt.Sprintf("#%d", n.Index), n.Seconds, n.Count, n.Share, "  "+n.Shape+where(n))
			}
		}
	}
	o.row(t, "", o.BetweenS, Count{}, 0, "between nodes")
	return t.Flush()
}

// where says which computation a node belongs to, unless it is the usual one.
func where(n Node) string {
	if n.Times == 1 {
		return ""
	}
	return fmt.Sprintf(" (%s, %d times)", n.Computation, n.Times)
}

// row writes one line; what does not apply is left out. The last column is aligned to the
// left by hand, since it is the only one.
func (o OpsResult) row(w io.Writer, count string, seconds float64, c Count, share float64, kind string) {
	cell := func(format string, v float64) string {
		if v == 0 {
			return ""
		}
		return fmt.Sprintf(format, v)
	}
	fmt.Fprintf(w, "%s\t%.2f\t%.1f %%\t%s\t%s\t%s\t%s\t%s\t", count, 1e3*seconds, 100*seconds/o.TracedS,
		cell("%.2f", c.FLOP/1e9), cell("%.0f", c.FLOP/seconds/1e9), cell("%.1f", c.Bytes/1e6), cell("%.0f", c.Bytes/seconds/1e9), cell("%.0f %%", 100*share))
	fmt.Fprintf(w, "  %s\n", kind)
}
