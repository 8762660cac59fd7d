package input

// What a stack may have. Some of the readers behind this package have no
// bounds of their own, so that they are held here, before anything else looks.
const (
	MaxBytes    = 64 << 20  // bytes of a file, and of what a program gives
	MaxValues   = 1_000_000 // values of a file, maps and lists among them
	MaxSiblings = 20_000    // entries of one map or list
	MaxDepth    = 64        // maps and lists inside each other
	MaxNumber   = 40        // characters of a number
	maxMistakes = 100       // of one file: what comes after is not read
)
