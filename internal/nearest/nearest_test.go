package nearest

import "testing"

func TestOf(t *testing.T) {
	keys := []string{"optim.lr", "optim.base_lr", "train.batch", "resnet18", "resnet50"}
	for name, want := range map[string]string{
		"optim.rl": "optim.lr", "train.bacth": "train.batch", "resnet15": "resnet18", "resnet-50": "resnet50", "quux": "",
	} {
		if got, ok := Of(name, keys); got != want || ok != (want != "") {
			t.Errorf("Of(%q) = %q, %v, want %q", name, got, ok, want)
		}
	}
}
