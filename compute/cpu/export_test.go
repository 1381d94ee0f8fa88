package cpu

// LastExecutable is the one compiled last: GoMLX's graphs do not show theirs.
var LastExecutable *Executable

func init() { onCompile = func(e *Executable) { LastExecutable = e } }
