package run

import "fmt"

// Methods lists the names of the methods, the paper's first.
func Methods() []string { return []string{"byol", "simclr", "moco", "simsiam", "supervised"} }

// recipeBaseLR is the rate of SGD per 256 pictures for every method but BYOL, whose loss
// is four times as steep.
const recipeBaseLR = .12

// applyRecipe sets what differs between the methods' published recipes for small data:
// lightly's on CIFAR-10 with ResNet-18 (SGD at .06 for batches of 128, decay 5e-4, cosine).
// Data, augmentation, length and encoder stay the preset's.
func (c *Config) applyRecipe(method string) {
	c.Method.Name = method
	o := &c.Optim
	byol := *o // the preset's
	o.Name, o.Momentum, o.Nesterov, o.WeightDecay, o.Trust = "sgd", .9, false, 5e-4, 0
	o.LR, o.BaseLR = 0, 0 // chosen
	h, m := &c.Heads, &c.Method
	switch method {
	case "simclr":
		h.Hidden, h.Dim, h.Norm = 512, 128, []string{"batch"}
		m.Temperature = .5
	case "moco":
		// Published without norm in the head; with it, short runs learn from the start.
		h.Hidden, h.Dim, h.Norm = 512, 128, []string{"batch"}
		m.Temperature, m.Tau, m.TauSchedule = .1, .99, "fixed"
	case "simsiam":
		// A narrow preset's heads are narrow too, but no narrower predictor than the published.
		wide := int(2048 * min(1, c.Encoder.Width))
		h.Hidden, h.Dim, h.PredictorHidden, h.Norm, h.OutputNorm = wide, wide, min(512, wide), []string{"batch"}, "batch"
		if byol.Name == "sgd" && byol.LR > 0 {
			// The loss is BYOL's but for a quarter of the slope: the published rate and decay
			// follow from those of the preset cifar10, and so do those for short runs.
			o.LR, o.WeightDecay = 4*byol.LR, byol.WeightDecay/4
		}
	}
}

// resolveMethod fills in what depends on the pictures and the batch.
func (c *Config) resolveMethod(s Source) error {
	m := &c.Method
	if m.Name == "moco" {
		c.resolveMoCo(s.Images)
	}
	switch {
	case m.Name == "supervised" && s.Classes < 2:
		return fmt.Errorf("method.name=supervised learns from labels, and %s has %d classes: want a folder with a sub-folder for each class, a list with labels, or a data set that has them", c.Data.Train, s.Classes)
	case m.Name == "supervised" && m.Classes == 0:
		m.Classes = s.Classes
	case m.Name == "supervised" && m.Classes < s.Classes:
		return fmt.Errorf("method.classes=%d: want at least the %d of %s", m.Classes, s.Classes, c.Data.Train)
	}
	return nil
}

// resolveMoCo chooses groups and queue.
func (c *Config) resolveMoCo(images int) {
	m, batch := &c.Method, c.Train.Batch
	if m.Groups == 0 {
		// Groups of 16 pictures, as eight devices have of batches of 128.
		m.Groups = max(1, min(8, batch/16))
		for batch%m.Groups != 0 {
			m.Groups--
		}
		if !c.usesBatchNorm() {
			m.Groups = 1
		}
	}
	if m.Queue == 0 {
		// The published queues, 4,096 keys for batches of 128 and 8,192 for 512 of 50,000
		// pictures. A longer memory holds keys of a network that is no more, and of the
		// very pictures that are asked for.
		m.Queue = max(1, min(16, images/6/(2*batch))) * 2 * batch
	}
}

// validateMethod checks the method's keys, those of other methods for their defaults only.
func (c Config) validateMethod(bad func(bool, string, string), oneOf func(string, ...string)) {
	m := c.Method
	byol := m.Name == "byol"
	oneOf("method.name", Methods()...)
	oneOf("method.target", "ema", "random", "online")
	bad(byol || m.Target == "ema", "method.target", "ema: other targets are experiments of method.name=byol")
	oneOf("method.tau_schedule", "cosine", "fixed")
	bad(m.Tau <= 1, "method.tau", "0 to 1, or below 0 for a choice by the number of steps")
	bad(m.PredictorLR > 0 && m.PredictorLR <= 1e6, "method.predictor_lr", "a multiplier above 0")
	bad(m.StopGradient || m.Name == "simsiam" || byol && m.Target == "online", "method.stop_gradient",
		"true: only method.name=simsiam and method.target=online have a gradient to stop")
	bad(m.Beta >= 0 && m.Beta <= 1, "method.beta", "0 to 1")
	bad(byol || m.Beta == 0, "method.beta", "0: negatives by weight are an experiment of method.name=byol")
	bad(m.Temperature > 0, "method.temperature", "above 0")
	bad(m.Queue >= 0, "method.queue", "0 (chosen) or more")
	bad(m.Groups >= 0 && (m.Groups == 0 || c.Train.Batch%m.Groups == 0), "method.groups", fmt.Sprintf("0 (chosen), or a divisor of train.batch=%d", c.Train.Batch))
	bad(m.Groups <= 1 || c.Train.Batch >= 2*m.Groups || !c.usesBatchNorm(), "method.groups", "groups of at least 2 pictures, for batch norm")
	bad(m.Classes >= 0, "method.classes", "0 (those of the training pictures) or more")
}
