module github.com/byol-go/byol/internal/kernel/_neon

go 1.26.0
