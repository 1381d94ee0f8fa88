package diagnose

// Setup describes a run, to name the cause of what is measured. The verdict itself does
// not look at it, but for how long the run is, and whether labels teach and of how many
// classes.
type Setup struct {
	Steps int // of the run

	Method       string // byol, simclr, moco, simsiam or supervised
	Target       string // byol's: ema, random or online
	Predictor    bool
	StopGradient bool
	Tau          float64 // at the start
	Temperature  float64
	Beta         float64 // weight of negative pairs in byol

	EncoderNorm, ProjectorNorm, PredictorNorm, OutputNorm string // "none" for none

	Batch   int // pictures whose statistics a batch norm shares
	Classes int // of supervised
	Queue   int // of moco
	Dim     int // of projections

	Optimizer   string
	LR          float64 // the highest
	PredictorLR float64 // multiplies it
	WeightDecay float64
	WarmupSteps int

	CropScale [2]float64 // share of a picture's area
}

// hasPredictor reports whether the method can have a predictor.
func (s Setup) hasPredictor() bool { return s.Method == "byol" || s.Method == "simsiam" }

// contrasts reports whether other pictures are pushed away.
func (s Setup) contrasts() bool {
	return s.Method == "simclr" || s.Method == "moco" || s.Method == "byol" && s.Beta > 0
}

// supervised reports whether labels teach.
func (s Setup) supervised() bool { return s.Method == "supervised" }

// followed reports whether a target network follows the online one.
func (s Setup) followed() bool {
	return s.Method == "moco" || s.Method == "byol" && s.Target != "online"
}

// normless reports whether neither head has a norm.
func (s Setup) normless() bool {
	none := func(norm string) bool { return norm == "none" || norm == "" }
	return none(s.ProjectorNorm) && none(s.OutputNorm) && (none(s.PredictorNorm) || !s.hasPredictor() || !s.Predictor)
}
