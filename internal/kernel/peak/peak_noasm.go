//go:build (!amd64 && !arm64) || purego

package peak

func loops() []loop { return []loop{portable()} }

func movers() mover { return portableMovers() }
