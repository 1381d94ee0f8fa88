package plan

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
)

// Print writes the plan for people: what was found, what was chosen and why, what to
// expect. The command is the caller's to print, since it knows the other flags.
func (p Plan) Print(w io.Writer) error {
	d, m := p.Data, p.Machine
	fmt.Fprintf(w, "pictures  %s: %d of %d pixels, %s, %s\n", d.Train, d.Images, d.Native, colours(d), classes(d))
	fmt.Fprintf(w, "machine   %s, %s, backend %s, %d threads", m.Processor, m.ISA, m.Backend, m.Threads)
	if m.Free > 0 {
		fmt.Fprintf(w, ", %s of memory available", humanize.IBytes(uint64(m.Free)))
	}
	fmt.Fprint(w, "\n\nmeasured\n")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, trial := range m.Trials {
		fmt.Fprintf(t, "  %s\t%s\t%s images/s\t%s for batches of %d\n", trial.Setup, trial.Precision, speed(1/perPicture(m, trial)), bytes(trial.Bytes), trial.Batch)
	}
	t.Flush()
	fmt.Fprint(w, "\nchosen\n")
	t = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, c := range p.Choices {
		fmt.Fprintf(t, "  %s\t%s\t%s\n", c.Key, c.Value, c.Reason)
	}
	t.Flush()
	e := p.Expected
	fmt.Fprintf(w, "\nexpected  %s images/s, %d steps, %s epochs, %s", speed(e.ImagesPerS), e.Steps, speed(e.Epochs), duration(e.Seconds))
	if e.JudgingS >= 1 || e.LoadingS >= 1 {
		fmt.Fprintf(w, " (reading %s, judging %s)", duration(e.LoadingS), duration(e.JudgingS))
	}
	fmt.Fprintf(w, ", %s\n", bytes(e.Bytes))
	for _, n := range p.Notes {
		fmt.Fprintf(w, "note      %s\n", n)
	}
	_, err := fmt.Fprintln(w)
	return err
}

func colours(d Data) string {
	switch {
	case d.Channels == 1:
		return "gray"
	case d.Gray:
		return "gray, though stored as RGB"
	}
	return "RGB"
}

func classes(d Data) string {
	if d.Classes == 0 {
		return "no labels"
	}
	judged := "judged leave-one-out"
	if d.Test > 0 {
		judged = fmt.Sprintf("%d more to judge by", d.Test)
	}
	return fmt.Sprintf("%d classes, %s", d.Classes, judged)
}

func bytes(n int64) string {
	if n == 0 {
		return "memory unknown"
	}
	return humanize.IBytes(uint64(n))
}

// speed writes images a second, or anything else that three digits tell enough of.
func speed(v float64) string { return strconv.FormatFloat(round(v, 3), 'f', -1, 64) }

// count writes a large number as people say it.
func count(v float64) string {
	switch {
	case v >= 1e6:
		return strconv.FormatFloat(round(v/1e6, 3), 'f', -1, 64) + " million"
	case v >= 1e4:
		return humanize.Comma(int64(round(v, 3)))
	}
	return humanize.Comma(int64(v))
}

func duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	if d < time.Second {
		return d.Round(10 * time.Millisecond).String()
	}
	return short(d.Round(time.Second))
}

// short writes a duration without zero parts: 2h, not 2h0m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func join(values []float64) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = number(math.Round(v*1000) / 1000)
	}
	return strings.Join(parts, ",")
}
