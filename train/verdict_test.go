package train

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/byol-go/byol/checkpoint"
	"github.com/byol-go/byol/diagnose"
	"github.com/byol-go/byol/run"
)

// collapsing is a run that collapses, just long enough for it to be said.
func collapsing(t *testing.T, set ...string) run.Config {
	return tiny(t, append([]string{
		"method.predictor=false", "method.target=online", "train.steps=215", "train.log_every=5", "train.checkpoint_every=1000",
		"eval.knn_every=0", "data.size=16", "optim.lr=0.1",
	}, set...)...)
}

func verdicts(t *testing.T, f run.Folder) []run.VerdictEvent {
	t.Helper()
	list, err := run.ReadVerdicts(f.Metrics())
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// A collapsing run says so, also if it is interrupted and goes on; asked to, it stops there,
// saved, and can be made to go on.
func TestCollapseIsSaid(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 600 small steps")
	}
	whole := run.Folder(t.TempDir() + "/whole")
	var shown strings.Builder
	mustRun(t, t.Context(), Options{Config: collapsing(t), Folder: whole, Progress: NewProgress(&shown, false)})
	said := verdicts(t, whole)
	if len(said) != 1 || said[0].Verdict != diagnose.Full || said[0].Step != diagnose.FirstStep || !strings.Contains(said[0].Cause, "no predictor") {
		t.Fatalf("%+v", said)
	}
	if text := shown.String(); strings.Count(text, "full collapse") != 2 || !strings.Contains(text, "method.predictor=true") {
		t.Errorf("shown, when it is found and at the end:\n%s", text)
	}

	parts := run.Folder(t.TempDir() + "/parts")
	stopAfter(t, collapsing(t), parts, 150)
	mustRun(t, t.Context(), Options{Config: collapsing(t), Folder: parts, Resume: true})
	if again := verdicts(t, parts); len(again) != 1 || again[0] != said[0] {
		t.Errorf("interrupted: %+v, want %+v", again, said)
	}

	stopped := run.Folder(t.TempDir() + "/stopped")
	err := Run(t.Context(), Options{Config: collapsing(t, "train.on_collapse=stop"), Folder: stopped})
	var collapsed CollapseError
	if !errors.As(err, &collapsed) || collapsed.Step != diagnose.FirstStep || !strings.Contains(err.Error(), diagnose.Full) || !strings.Contains(collapsed.Hint(), "method.predictor=true") {
		t.Fatal(err)
	}
	c, _, err := checkpoint.Latest(stopped.Checkpoints())
	if err != nil || c.Step != diagnose.FirstStep {
		t.Fatalf("checkpoint of step %d: %v", c.Step, err)
	}
	mustRun(t, t.Context(), Options{Config: collapsing(t), Folder: stopped, Resume: true})
	if again := verdicts(t, stopped); len(again) != 1 || again[0] != said[0] {
		t.Errorf("stopped: %+v, want %+v", again, said)
	}
	if string(encoderBytes(t, stopped)) != string(encoderBytes(t, whole)) {
		t.Error("a run that was stopped comes out otherwise")
	}
}

// Every field of a step's health is measured, for every method.
func TestHealthIsMeasured(t *testing.T) {
	for _, name := range run.Methods() {
		c, err := run.Build(run.Request{Preset: "demo", Set: [][2]string{{"method.name", name}}})
		if err != nil {
			t.Fatal(err)
		}
		f := run.Folder(t.TempDir() + "/" + name)
		for _, kv := range []string{"data.limit=32", "train.batch=8", "train.steps=2", "eval.knn_every=0", "encoder.width=0.0625", "heads.hidden=16", "heads.dim=8", "data.size=16"} {
			key, value, _ := strings.Cut(kv, "=")
			if err := c.Set(key, value); err != nil {
				t.Fatal(err)
			}
		}
		mustRun(t, context.Background(), Options{Config: c, Folder: f})
		steps, err := run.ReadSteps(f.Metrics())
		if err != nil {
			t.Fatal(err)
		}
		if len(steps) != 2 || steps[0].Step != 1 {
			t.Fatalf("%s: %d step events: want the first step's and the last's", name, len(steps))
		}
		h, supervised := steps[1].Health, name == "supervised"
		if h == nil {
			t.Fatalf("%s: no health", name)
		}
		for what, v := range map[string]run.Number{
			"top share": h.TopShare, "alignment": h.Alignment, "feature std": h.FeatureStd, "feature rank": h.FeatureRank, "feature top share": h.FeatureTopShare,
			"encoder norm": h.EncoderNorm, "encoder update": h.EncoderUpdate, "encoder grad": h.EncoderGrad,
			"view difference": h.ViewDifference, "picture difference": h.PictureDifference, "detail": h.Detail,
		} {
			if !(v > 0) {
				t.Errorf("%s: %s is %v", name, what, v)
			}
		}
		has := func(what string, v run.Number, want bool) {
			if measured := v > 0; measured != want || want == math.IsNaN(float64(v)) {
				t.Errorf("%s: %s is %v", name, what, v)
			}
		}
		has("projector norm", h.ProjectorNorm, !supervised)
		has("projector update", h.ProjectorUpdate, !supervised)
		has("predictor norm", h.PredictorNorm, name == "byol" || name == "simsiam" || supervised)
		has("predictor grad", h.PredictorGrad, name == "byol" || name == "simsiam" || supervised)
		has("target distance", h.TargetDistance, name == "byol" || name == "moco")
		if h.MatchOf != 8 {
			t.Errorf("%s: matched among %d", name, h.MatchOf)
		}
		if v := verdicts(t, f); len(v) != 1 || v[0].Verdict != diagnose.TooEarly {
			t.Errorf("%s: %+v", name, v)
		}
	}
}
