package input

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"

	"github.com/plonec/plonec/internal/diag"
)

// The parent writes a request to the child's standard input and reads an
// answer from its standard output. Both are a line of JSON, the header, whose
// blobs follow as they are.

// childEnv tells a process that it is a child.
const childEnv = "PLONEC_EVAL"

// protocol begins every answer, so that something else that ran instead is
// not taken for one.
const protocol = "plonec-eval-1"

// A request is one Jsonnet file, or the CUE files, to evaluate.
type request struct {
	CUE     bool
	Dir     string            // of the repo
	Files   []blob            // the named files
	ExtStr  map[string]string `json:",omitempty"`
	TLAStr  map[string]string `json:",omitempty"`
	Seconds int               // of CPU time
	Limits  limits
}

// An answer is what a program gave: Doc, a JSON text, and Spans, where its
// values were written (see spanWriter), or Mistakes.
type answer struct {
	Protocol string
	Doc      int       // bytes
	Spans    int       // bytes
	Files    []blob    // all that was read; the named ones first, as in the request
	Mistakes []mistake // why there is no document

	doc, spans []byte
}

// A blob is a file, whose content follows the header.
type blob struct {
	Rel    string // in the repo
	Size   int
	Unused bool `json:",omitempty"` // looked at, but without a part in the result
	data   []byte
}

// A mistake is a diagnostic whose file is an index into an answer's Files plus
// one; 0 stands for the first named file as a whole.
type mistake struct {
	Code, Path, Message, Remedy string
	At                          place
	Others                      []place `json:",omitempty"` // what it conflicts with
}

// A place is a range of bytes of a file.
type place struct{ File, Start, End int }

var errProtocol = errors.New("input: malformed message between parent and child")

func writeRequest(to io.Writer, req *request) error {
	return writeMessage(to, req, nil, req.Files)
}

func readRequest(from io.Reader) (*request, error) {
	req := &request{}
	in := bufio.NewReader(from)
	if err := readHeader(in, req); err != nil {
		return nil, err
	}
	return req, readBlobs(in, req.Files)
}

func writeAnswer(to io.Writer, a *answer) error {
	a.Protocol, a.Doc, a.Spans = protocol, len(a.doc), len(a.spans)
	return writeMessage(to, a, [][]byte{a.doc, a.spans}, a.Files)
}

func readAnswer(from io.Reader) (*answer, error) {
	a := &answer{}
	in := bufio.NewReader(from)
	if err := readHeader(in, a); err != nil {
		return nil, err
	}
	if a.Protocol != protocol {
		return nil, errProtocol
	}
	var err error
	if a.doc, err = readBytes(in, a.Doc); err != nil {
		return nil, err
	}
	if a.spans, err = readBytes(in, a.Spans); err != nil {
		return nil, err
	}
	return a, readBlobs(in, a.Files)
}

func writeMessage(to io.Writer, header any, parts [][]byte, blobs []blob) error {
	out := bufio.NewWriter(to)
	line, err := json.Marshal(header)
	if err != nil {
		return err
	}
	out.Write(append(line, '\n'))
	for _, p := range parts {
		out.Write(p)
	}
	for _, b := range blobs {
		out.Write(b.data)
	}
	return out.Flush() // bufio keeps the first error
}

func readHeader(in *bufio.Reader, header any) error {
	line, err := in.ReadBytes('\n')
	if err != nil {
		return err
	}
	return json.Unmarshal(line, header)
}

func readBytes(in io.Reader, size int) ([]byte, error) {
	if size < 0 || size > maxAnswer {
		return nil, errProtocol
	}
	data, err := io.ReadAll(io.LimitReader(in, int64(size)))
	if err == nil && len(data) < size {
		err = io.ErrUnexpectedEOF
	}
	return data, err
}

func readBlobs(in io.Reader, blobs []blob) error {
	var err error
	for i := range blobs {
		if blobs[i].data, err = readBytes(in, blobs[i].Size); err != nil {
			return err
		}
	}
	return nil
}

// A spanWriter packs the places of a document's values in the order in which
// the document has them, a key's before its value's. A place that is not known
// is one zero byte; else the file (its index plus one), the distance from the
// last place's start, and the length.
type spanWriter struct {
	buf  []byte
	last int
}

func (w *spanWriter) add(p place) {
	if p.File == 0 {
		w.buf = append(w.buf, 0)
		return
	}
	w.buf = binary.AppendUvarint(w.buf, uint64(p.File))
	w.buf = binary.AppendVarint(w.buf, int64(p.Start-w.last))
	w.buf = binary.AppendUvarint(w.buf, uint64(max(p.End-p.Start, 0)))
	w.last = p.Start
}

// A spanReader unpacks what a spanWriter packed.
type spanReader struct {
	buf   []byte
	last  int
	files []*diag.File
	whole diag.Span // what stands for a place that is not known
}

func (r *spanReader) next() (diag.Span, bool) {
	file, n := binary.Uvarint(r.buf)
	if n <= 0 || file > uint64(len(r.files)) {
		return diag.Span{}, false
	}
	r.buf = r.buf[n:]
	if file == 0 {
		return r.whole, true
	}
	delta, n := binary.Varint(r.buf)
	if n <= 0 {
		return diag.Span{}, false
	}
	length, m := binary.Uvarint(r.buf[n:])
	if m <= 0 {
		return diag.Span{}, false
	}
	r.buf = r.buf[n+m:]
	f := r.files[file-1]
	start := r.last + int(delta)
	if start < 0 || start > len(f.Content) || length > uint64(len(f.Content)-start) {
		return diag.Span{}, false
	}
	r.last = start
	return diag.Span{File: f, Start: start, End: start + int(length)}, true
}

// apply gives each value of a tree the place that was packed for it.
func (r *spanReader) apply(n *Node) bool {
	var ok bool
	if n.Span, ok = r.next(); !ok {
		return false
	}
	for i := range n.Fields {
		f := &n.Fields[i]
		if f.Span, ok = r.next(); !ok || !r.apply(f.Value) {
			return false
		}
	}
	for _, item := range n.Items {
		if !r.apply(item) {
			return false
		}
	}
	return true
}
