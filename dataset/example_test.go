package dataset_test

import (
	"fmt"
	"log"

	"github.com/byol-go/byol/augment"
	"github.com/byol-go/byol/dataset"
)

func Example() {
	set, err := dataset.Open("builtin:glyphs", dataset.Options{Split: dataset.Train})
	if err != nil {
		log.Fatal(err)
	}
	views, err := augment.New(augment.Published(), set.DefaultSize(), set.Channels())
	if err != nil {
		log.Fatal(err)
	}
	loader, err := dataset.NewLoader(set, views, dataset.LoaderConfig{Batch: 64, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer loader.Close()
	batch, err := loader.Next()
	if err != nil {
		log.Fatal(err)
	}
	defer batch.Release()
	fmt.Println(set.Len(), "pictures,", len(set.Classes), "classes,", loader.BatchesPerEpoch(), "batches an epoch")
	fmt.Println(len(batch.View1) == 64*32*32*3, batch.Index[:3])
	// Output:
	// 7200 pictures, 34 classes, 112 batches an epoch
	// true [247 6184 4615]
}
