package git

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"regexp"
	"strconv"
	"strings"
)

var wholeID = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// IsID tells whether a text is the whole name of an object, and so no option
// and no other expression.
func IsID(text string) bool { return wholeID.MatchString(text) }

// Blobs gives the regular files of a commit below a path from the top, by their
// own paths from the top, with the names of their blobs. "." is everything.
func (r *Repository) Blobs(commit, below string) (map[string]string, error) {
	args := []string{"ls-tree", "-r", "-z", "--full-tree", commit}
	if below != "." {
		args = append(args, "--", below+"/")
	}
	list, err := r.Run(nil, args...)
	if err != nil {
		return nil, err
	}
	blobs := map[string]string{}
	for _, entry := range strings.Split(string(list), "\x00") {
		meta, name, _ := strings.Cut(entry, "\t")
		if f := strings.Fields(meta); len(f) == 3 && (f[0] == "100644" || f[0] == "100755") {
			blobs[name] = f[2]
		}
	}
	return blobs, nil
}

// maxRead bounds what Contents reads at once, in bytes.
const maxRead = 1 << 30

// Contents reads blobs. Those larger than most bytes are nil; what is not in the
// repository is an error.
func (r *Repository) Contents(blobs []string, most int) ([][]byte, error) {
	sizes, err := r.Run(strings.NewReader(strings.Join(blobs, "\n")+"\n"), "cat-file", "--batch-check")
	if err != nil {
		return nil, err
	}
	var want []string
	var at []int
	total := 0
	for line := range strings.Lines(string(sizes)) {
		i := len(at)
		f := strings.Fields(line)
		if len(f) != 3 || f[1] != "blob" || i == len(blobs) {
			return nil, fmt.Errorf("git cat-file: %s", strings.TrimSpace(line))
		}
		size, err := strconv.Atoi(f[2])
		if err != nil {
			return nil, err
		}
		if size > most {
			at = append(at, -1)
			continue
		}
		if total += size; total > maxRead {
			return nil, errors.New("git: the files have more than 1 GiB")
		}
		at = append(at, len(want))
		want = append(want, blobs[i])
	}
	read, err := r.read(want)
	if err != nil {
		return nil, err
	}
	list := make([][]byte, len(blobs))
	for i, n := range at {
		if n >= 0 {
			list[i] = read[n]
		}
	}
	return list, nil
}

func (r *Repository) read(blobs []string) ([][]byte, error) {
	if len(blobs) == 0 {
		return nil, nil
	}
	out, err := r.Run(strings.NewReader(strings.Join(blobs, "\n")+"\n"), "cat-file", "--batch")
	if err != nil {
		return nil, err
	}
	list := make([][]byte, len(blobs))
	from := bufio.NewReader(bytes.NewReader(out))
	for i := range blobs {
		head, err := from.ReadString('\n')
		f := strings.Fields(head)
		if err != nil || len(f) != 3 {
			return nil, fmt.Errorf("git cat-file: %s", strings.TrimSpace(head))
		}
		size, err := strconv.Atoi(f[2])
		if err != nil {
			return nil, err
		}
		list[i] = make([]byte, size)
		if _, err := io.ReadFull(from, list[i]); err != nil {
			return nil, err
		}
		from.Discard(1)
	}
	return list, nil
}

// IsBlob tells whether bytes are those of a blob, as they are: no filter and no
// conversion of line ends comes between.
func IsBlob(data []byte, blob string) bool {
	var h hash.Hash
	switch len(blob) {
	case 2 * sha1.Size:
		h = sha1.New()
	case 2 * sha256.Size:
		h = sha256.New()
	default:
		return false
	}
	fmt.Fprintf(h, "blob %d\x00", len(data))
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil)) == blob
}
