package input

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/diag"
)

// Limits of a child. A program that crosses one is stopped; none of them is
// the way in which a sane program ends.
const (
	maxAnswer = 4 * MaxBytes // document, places and files together
	maxReads  = 1000         // files
)

// limits are those that a request brings, in bytes. Tests make them small, so
// that a harmless program crosses them.
type limits struct{ Memory, Stack, Output int }

// orUsual fills in what is 0.
func (l limits) orUsual() limits {
	return limits{cmp.Or(l.Memory, 1<<30), cmp.Or(l.Stack, 256<<20), cmp.Or(l.Output, MaxBytes)}
}

// RunChild evaluates a program and ends the process where the process was
// started for that, and returns at once elsewhere. It must be the first call
// of main and of TestMain.
func RunChild() {
	if os.Getenv(childEnv) == "" {
		return
	}
	os.Exit(child())
}

func child() int {
	req, err := readRequest(os.Stdin)
	if err != nil {
		return 1
	}
	debug.SetGCPercent(400) // most programs are small: rather memory than time
	debug.SetMemoryLimit(int64(req.Limits.Memory))
	debug.SetMaxStack(req.Limits.Stack)
	if err := limitProcess(uint64(req.Seconds), uint64(req.Limits.Memory)); err != nil {
		return 1
	}
	a := &answer{}
	files, p := newChildFiles(req)
	if p != nil {
		a.Mistakes = []mistake{{Code: p.Code, Message: p.Message, Remedy: p.Remedy}}
	} else {
		evaluateIn(a, files, req)
		a.Files = files.reads
	}
	if len(a.doc) > req.Limits.Output {
		a.doc, a.spans = nil, nil
		a.Mistakes = []mistake{{Code: "eval-limit", Message: fmt.Sprintf("the program gives more than %d MiB", req.Limits.Output>>20)}}
	}
	if writeAnswer(os.Stdout, a) != nil {
		return 1
	}
	return 0
}

// evaluateIn fills an answer. A panic of an evaluator is a mistake like others;
// its text may hold values and is dropped.
func evaluateIn(a *answer, files *childFiles, req *request) {
	defer func() {
		if recover() != nil {
			a.doc, a.spans = nil, nil
			a.Mistakes = []mistake{{Code: "eval-error", Message: "the evaluator cannot cope with this program"}}
		}
	}()
	if req.CUE {
		evalCUE(a, files, len(req.Files))
	} else {
		evalJsonnet(a, files, req)
	}
	if len(a.Mistakes) > maxMistakes {
		a.Mistakes = a.Mistakes[:maxMistakes]
	}
}

// childFiles are the files that a program may read: the named ones, which the
// parent gave, and those in the repo. What was read once is not read again.
type childFiles struct {
	repo  *repo
	reads []blob
	texts map[int]*diag.File // by index in reads, for their lines
	total int
}

func newChildFiles(req *request) (*childFiles, *problem) {
	repo, p := openRepo(req.Dir)
	if p != nil {
		return nil, p
	}
	return &childFiles{repo: repo, reads: req.Files, texts: map[int]*diag.File{}}, nil
}

// index returns the index of a file that was read, plus one; 0 for others.
func (c *childFiles) index(rel string) int {
	return slices.IndexFunc(c.reads, func(b blob) bool { return b.Rel == rel }) + 1
}

// read returns the content of a file of the repo.
func (c *childFiles) read(rel string) ([]byte, *problem) {
	if i := c.index(rel); i > 0 {
		return c.reads[i-1].data, nil
	}
	data, p := c.repo.read(rel)
	if p != nil {
		return nil, p
	}
	c.total += len(data)
	if len(c.reads) >= maxReads || c.total > MaxBytes {
		return nil, &problem{"eval-limit", fmt.Sprintf("the program reads more than %d files or %d MiB", maxReads, MaxBytes>>20), ""}
	}
	c.reads = append(c.reads, blob{Rel: rel, Size: len(data), data: data})
	return data, nil
}

// offset returns the byte offset of a line and a column in bytes, both from 1,
// in the file at an index of reads.
func (c *childFiles) offset(i, line, col int) int {
	text := c.texts[i]
	if text == nil {
		text = &diag.File{Content: c.reads[i].data}
		c.texts[i] = text
	}
	return text.Offset(line, col)
}

// parse reads a document that a program gave, for the shape of its tree only.
func parse(doc []byte) *Node {
	tree, _ := ReadJSON(&diag.File{Content: doc})
	return tree
}

// inexact tells whether a literal stands for another number than it says, as a
// float64 would keep it (in CUE, which keeps more, whether it has a range that
// no float64 has).
func inexact(literal string, decimal bool) bool {
	literal = strings.ReplaceAll(literal, "_", "")
	if len(literal) > MaxNumber {
		return true
	}
	v, ok := parseFloat(literal)
	if !ok {
		return true
	}
	whole := !strings.ContainsAny(literal, ".eE")
	return !decimal && whole && math.Abs(v) >= 1<<53
}
