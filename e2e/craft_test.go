package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
)

// craft brings a file to the tree of one host that no stack would give, or gives one
// another content, and commits it. plonec pushes nothing but what it would build
// itself, so from here to the next change it is one whose table of artifacts has
// this file too.
func (c *cluster) craft(host, path string, mode uint32, effects []string, content string) {
	c.t.Helper()
	file := map[string]any{"Path": path, "Mode": mode, "Owner": "root:root", "Effects": effects, "Content": []byte(content)}
	text, err := json.Marshal(map[string]any{"Host": host, "File": file})
	if err == nil {
		err = os.WriteFile(work+"/crafted.json", text, 0o644)
	}
	if err == nil {
		c.program, err = crafting()
	}
	if err != nil {
		c.t.Fatal(err)
	}
	c.must(0, "build", "stack.json")
	c.commit(c.dir, "craft")
}

// crafting compiles that plonec, once: which file it is stands in crafted.json.
var crafting = sync.OnceValues(func() (string, error) {
	const before = "func Each("
	text, err := os.ReadFile(top + "/render/render.go")
	if err != nil {
		return "", err
	}
	if !strings.Contains(string(text), before) {
		return "", fmt.Errorf("render/render.go has no %q", before)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
		top + "/render/render.go": work + "/render.go", top + "/render/crafted.go": work + "/crafted.go",
	}})
	if err != nil {
		return "", err
	}
	for name, content := range map[string]string{
		"overlay.json": string(overlay), "crafted.go": crafted, "render.go": strings.Replace(string(text), before, "func each(", 1),
	} {
		if err := os.WriteFile(work+"/"+name, []byte(content), 0o644); err != nil {
			return "", err
		}
	}
	cmd := exec.Command("go", "build", "-overlay", work+"/overlay.json", "-o", work+"/crafted", "./cmd/plonec")
	cmd.Dir = top
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%v: %v\n%s", cmd.Args, err, out)
	}
	return work + "/crafted", nil
})

// crafted is the file of that plonec which the other one has not.
const crafted = `package render

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/topology"
)

// Each gives what each gives, and the crafted file in its place.
func Each(h *topology.Host, visit func(File) error) error {
	var craft struct {
		Host string
		File File
	}
	text, err := os.ReadFile(os.Getenv("E2E_CRAFTED"))
	if err == nil {
		err = json.Unmarshal(text, &craft)
	}
	if err != nil {
		panic(err)
	}
	var files []File
	there := h.Name != craft.Host
	err = each(h, func(f File) error {
		f.Content = bytes.Clone(f.Content)
		if h.Name == craft.Host && f.Path == craft.File.Path {
			f.Content, there = craft.File.Content, true
		}
		files = append(files, f)
		return nil
	})
	if err != nil {
		return err
	}
	if !there {
		files = append(files, craft.File)
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	for _, f := range files {
		if err := visit(f); err != nil {
			return err
		}
	}
	return nil
}
`
