package render

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/builder"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

// TestPartsOfARelease has the real script make releases of one commit, at the same
// path, for two hosts: what differs is in the builder's table as a host's own, what
// could travel does not differ, and what no row names is the commit's.
func TestPartsOfARelease(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	repo, commit := exampleRepository(t, root)
	me, group := tester(t)
	topo := resolved(t, "../examples/zeo/stack.json", write(t, `{
	  "instances": {"app2": {"backends": 1}},
	  "deploy": {"site": {"buildout_extends": ["cfg/zope.cfg"], "buildout_additional_config": {"$secret": "env:PASTED"}}}
	}`))
	scripts := hostScripts(t)
	lendUv(t, root)
	release := root + "/srv/www/site/releases/20260101000000"

	made := map[string]map[string]string{}
	for _, name := range []string{"app1", "app2"} {
		i := slices.IndexFunc(topo.Hosts, func(h *topology.Host) bool { return h.Name == name })
		h := topo.Hosts[i]
		c := h.Apps[0].Config
		c.DeployTo, c.Home, c.User, c.Group = root+"/srv/www/site", root, me.Username, group.Name
		c.SCM = schema.SCM{Type: "git", Repository: repo, Revision: "main"}
		c.Environment = reached()
		etc := root + "/etc/plonec/"
		os.RemoveAll(etc)
		os.MkdirAll(etc+"site", 0o755)
		for _, file := range []string{"host.env", "site/app.conf", "site/build.conf", "site/app.env", "site/deploy.cfg"} {
			if err := os.WriteFile(etc+file, []byte(content(t, h, "/etc/plonec/"+file)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(etc+"site/plonec-secret-1.cfg", []byte("word = of "+name+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("/bin/bash", "-c", `LIB=$1; . "$LIB/lib.sh"; . "$LIB/source.sh"; load_host; load_app site
			CACHE=$DEPLOY_TO/shared/cached-copy; fetch_commit "$2"; mkdir -p "$DEPLOY_TO/releases/20260101000000"
			"$LIB/build" site 20260101000000 "$2" "$ROOT/log"`, "bash", scripts, commit)
		cmd.Env = append(os.Environ(), "PLONEC_ROOT="+root)
		if out, err := cmd.CombinedOutput(); err != nil {
			log, _ := os.ReadFile(root + "/log")
			t.Fatalf("%s: %v\n%s%s", name, err, out, log)
		}
		made[name] = everyFile(t, release)
		if err := os.Rename(release, root+"/"+name); err != nil {
			t.Fatal(err)
		}
	}

	committed, err := exec.Command("git", "-C", repo, "ls-tree", "--name-only", commit).Output()
	if err != nil {
		t.Fatal(err)
	}
	ours := append(strings.Fields(string(committed)), ".git")
	b := builder.Default()
	seen, differ := map[string]bool{}, map[string]bool{}
	for _, pair := range [][2]string{{"app1", "app2"}, {"app2", "app1"}} {
		for name, text := range made[pair[0]] {
			p, ok := b.Part(name)
			first, _, _ := strings.Cut(name, "/")
			seen[p.Path] = true
			switch {
			case !ok && !slices.Contains(ours, first):
				t.Errorf("%s is neither of the commit nor in the builder's table", name)
			case made[pair[1]][name] == text:
			case p.Whose == builder.Host:
				differ[p.Path] = true
			case first != ".git" && filepath.Ext(name) != ".pyc": // they hold times
				t.Errorf("%s of %s is not that of %s: %.200q", name, pair[0], pair[1], text)
			}
		}
	}
	for _, part := range []string{".venv", "var", "eggs", "extends", "downloads", "develop-eggs"} {
		if !seen[part] {
			t.Errorf("the releases have no %s", part)
		}
	}
	for _, part := range []string{"deploy.cfg", "plonec-secret-*.cfg", ".installed.cfg", "parts", "bin"} {
		if !differ[part] {
			t.Errorf("%s is the same on both hosts", part)
		}
	}
	// What units run is there, for the host that it was made for.
	if made["app1"]["bin/client2"] == "" || made["app2"]["bin/client1"] == "" || made["app2"]["bin/client2"] != "" {
		t.Error("the hosts have other clients than they were asked for")
	}
}

// exampleRepository is the example buildout with plain Zope, in a repository.
func exampleRepository(t *testing.T, root string) (repo, commit string) {
	t.Helper()
	repo = root + "/repo"
	if err := os.CopyFS(repo, os.DirFS("../examples/buildout")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(repo+"/requirements-zope.txt", repo+"/requirements.txt"); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"add", "-A"}, {"commit", "-q", "-m", "one"}, {"rev-parse", "HEAD"}} {
		cmd := exec.Command("git", append([]string{"-C", repo, "-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %s: %v\n%s", args, err, out)
		}
		commit = strings.TrimSpace(string(out))
	}
	return repo, commit
}

// lendUv gives a root the uv of this machine, and what it has fetched already.
func lendUv(t *testing.T, root string) {
	t.Helper()
	dir, err := venv()
	if err != nil {
		t.Fatalf("testdata/python/setup: %v", err)
	}
	uv := dir + "/bin/uv"
	if path, err := exec.LookPath("uv"); err == nil {
		uv = path
	}
	cache, err := exec.Command(uv, "cache", "dir").Output()
	if err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"/opt/plonec/uv/bin/uv": uv, "/srv/www/site/shared/uv-cache": strings.TrimSpace(string(cache))} {
		err := os.MkdirAll(filepath.Dir(root+link), 0o755)
		if err == nil {
			err = os.Symlink(to, root+link)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// everyFile is what each file of a folder holds, and where each link leads.
func everyFile(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name := strings.TrimPrefix(path, dir+"/")
		switch d.Type() {
		case fs.ModeDir:
			files[name] = "a folder"
		case fs.ModeSymlink:
			files[name], err = os.Readlink(path)
		default:
			var text []byte
			text, err = os.ReadFile(path)
			files[name] = string(text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
