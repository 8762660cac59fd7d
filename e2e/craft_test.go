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
	const before, call = "\tsort.Slice(files, ", "\tfiles = crafted(h, files)\n"
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
		"overlay.json": string(overlay), "crafted.go": crafted, "render.go": strings.Replace(string(text), before, call+before, 1),
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
	"encoding/json"
	"os"

	"github.com/plonec/plonec/internal/topology"
)

func crafted(h *topology.Host, files []File) []File {
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
	if h.Name != craft.Host {
		return files
	}
	for i, f := range files {
		if f.Path == craft.File.Path {
			files[i].Content = craft.File.Content
			return files
		}
	}
	return append(files, craft.File)
}
`
