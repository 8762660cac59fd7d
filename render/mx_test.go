package render

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const mxMain = "[settings]\ninclude = ../shared/more.cfg\nmain-package = -e ./own[more]\n"

// newMxProject is a project whose mx.ini takes a package from a repository of its own, and
// where that is.
func newMxProject(t *testing.T) (*uvProject, string) {
	t.Helper()
	p := newUvProject(t)
	toy := p.root + "/toy.kit"
	repository(t, toy, map[string]string{
		"pyproject.toml":           "[project]\nname = \"toy.kit\"\nversion = \"1.0\"\n[build-system]\nrequires = [\"uv_build\"]\nbuild-backend = \"uv_build\"\n[tool.uv.build-backend]\nmodule-name = \"toy.kit\"\n",
		"src/toy/kit/__init__.py":  "AT = 'one'\n",
		"src/toy/kit/sub/empty.py": "",
	})
	p.files = map[string]string{
		"README.md":                "A project with mx.ini.\n",
		"backend/mx.ini":           mxMain + "\n[mxmake-env]\n# of a hook that nobody runs\nanything = 1\n",
		"shared/more.cfg":          "[settings]\nversion-overrides =\n    packaging==24.0\n    toy.kit==3\nignores = lost\nplace = src-of-others\n\n[Toy.Kit]\nurl = " + toy + "\nbranch = main\ntarget = ${settings:place}\ninstall-mode = fixed\n",
		"backend/requirements.txt": "-c constraints.txt\n-r deeper.txt\niniconfig\ntoy.kit[sub]>=9\n",
		"backend/deeper.txt":       "packaging>=99\nlost==1\n",
		"backend/constraints.txt":  "toy.kit==9.9\niniconfig==2.0.0\npackaging==23.0\n",
		"backend/own/pyproject.toml": "[project]\nname = \"own\"\nversion = \"1.0\"\ndependencies = [\"packaging\"]\n[project.optional-dependencies]\nmore = []\n" +
			"[build-system]\nrequires = [\"uv_build\"]\nbuild-backend = \"uv_build\"\n",
		"backend/own/src/own/__init__.py": "",
	}
	return p, toy
}

// The sources of mx.ini are resolved to commits once for a release, recorded with it, and
// built from there by whoever builds that release.
func TestMxIni(t *testing.T) {
	t.Parallel()
	p, toy := newMxProject(t)
	one := inGit(t, toy, "rev-parse", "HEAD")
	p.files["backend/requirements.txt"] += "Toy_Kit>=9 # spelled otherwise\n"
	p.files["shared/more.cfg"] += "[at.hand]\nvcs = fs\nurl = at.hand\ninstall-mode = skip\n"
	p.files["backend/sources/at.hand/here"] = ""
	h, a, _ := uvHost(t, p, 203)
	scripts := hostScripts(t)
	dir, said, err := p.build(scripts, h, a, "20260101000000")
	// There is no Zope in it, which is what takes time.
	if err == nil || !strings.Contains(said, "Zope2 is not installed") || !strings.Contains(said, "checking out "+one[:12]+" of the source Toy.Kit (main)") {
		t.Fatalf("%v\n%s", err, said)
	}
	installed := func(dir string) string {
		t.Helper()
		return output(t, dir, ".venv/bin/python", "-c", "import importlib.metadata as m, iniconfig, own, toy.kit as k; print(k.AT, k.__file__.count('site-packages'), m.version('iniconfig'), m.version('packaging'))")
	}
	if got := installed(dir); got != "one 1 2.0.0 24.0\n" {
		t.Errorf("installed: %q", got)
	}
	if at := inGit(t, dir+"/backend/src-of-others/Toy.Kit", "rev-parse", "HEAD"); at != one {
		t.Errorf("the source is at %s, not %s", at, one)
	}
	host := func(status int, args ...string) string {
		t.Helper()
		c := exec.Command(scripts+"/host", args...)
		c.Env = append(os.Environ(), "PLONEC_ROOT="+p.root)
		out, err := c.CombinedOutput()
		if c.ProcessState == nil || c.ProcessState.ExitCode() != status {
			t.Fatalf("host %s: %v\n%s", args, err, out)
		}
		return string(out)
	}
	// Who is asked of that release says what it was made of, though the branch has moved;
	// of another one, where it leads now.
	if err := os.WriteFile(toy+"/src/toy/kit/__init__.py", []byte("AT = 'two'\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	two := commitAll(t, toy)
	commit := inGit(t, p.repo, "rev-parse", "HEAD")
	for release, want := range map[string]string{"20260101000000": one, "20260101000001": two} {
		if got := host(0, "resolve", "--sources", release, "--commit", commit, "site"); got != "commit "+commit+"\nsource Toy.Kit="+want+"\n" {
			t.Errorf("resolve of %s: %s", release, got)
		}
	}
	// Another host is told.
	if err := os.RemoveAll(p.root + "/srv/www/site/shared/sources"); err != nil {
		t.Fatal(err)
	}
	out := host(1, "deploy", "--no-restart", "--new-database", "--release", "20260101000002", "--commit", commit, "--source", "Toy.Kit="+one, "site")
	dir = filepath.Dir(dir) + "/20260101000002"
	if got := installed(dir); !strings.HasPrefix(got, "one ") {
		t.Errorf("a host that was told builds %q\n%s", got, out)
	}
	if record, err := os.ReadFile(p.root + "/var/lib/plonec/site/releases/20260101000002"); err != nil || !strings.Contains(string(record), "\nsources=Toy.Kit="+one+"\n") {
		t.Errorf("%v: the record says\n%s", err, record)
	}
	for _, word := range []string{"Toy.Kit", "Toy.Kit=" + one[:12], "--force=" + one} {
		host(2, "deploy", "--source", word, "site")
	}
	// A commit that is on no branch of the source's own repository is taken from nobody.
	out = host(1, "deploy", "--no-restart", "--new-database", "--release", "20260101000003", "--commit", commit, "--source", "Toy.Kit="+commit, "site")
	if !strings.Contains(out, "no branch or tag of the source Toy.Kit ("+toy+") of backend/mx.ini has the commit "+commit) {
		t.Errorf("a commit of another repository:\n%s", out)
	}
}

// A lock may have packages at paths where mxdev brings them.
func TestMxIniWithLock(t *testing.T) {
	t.Parallel()
	p, toy := newMxProject(t)
	at := inGit(t, toy, "rev-parse", "HEAD")
	p.files = map[string]string{
		"mx.ini":         "[toy.kit]\nurl = " + toy + "\nbranch = v1\n",
		"pyproject.toml": "[project]\nname = \"acme-site\"\nversion = \"1.0\"\nrequires-python = \">=3.10\"\ndependencies = [\"toy.kit\"]\n[tool.uv.sources]\n\"toy.kit\" = { path = \"sources/toy.kit\", editable = true }\n",
	}
	inGit(t, toy, "tag", "-a", "-m", "a tag", "v1")
	brought := maps.Clone(p.files)
	for _, name := range []string{"pyproject.toml", "src/toy/kit/__init__.py"} {
		text, err := os.ReadFile(toy + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		brought["sources/toy.kit/"+name] = string(text)
	}
	own := p.files
	p.files = brought
	p.lock("")
	own["uv.lock"] = p.files["uv.lock"]
	p.files = own
	h, a, _ := uvHost(t, p, 205, `{"deploy": {"site": {"backend_dir": null}}}`)
	dir, said, err := p.build(hostScripts(t), h, a, "20260101000000")
	if err == nil || !strings.Contains(said, "checking out "+at[:12]+" of the source toy.kit (v1)") || !strings.Contains(said, "installing what uv.lock has") || !strings.Contains(said, "Zope2 is not installed") {
		t.Fatalf("%v\n%s", err, said)
	}
	if got := output(t, dir, ".venv/bin/python", "-c", "import toy.kit as k; print(k.AT, 'site-packages' in k.__file__)"); got != "one True\n" {
		t.Errorf("installed: %q", got)
	}
}

// What mx.ini says of packages means what it means to mxdev.
func TestMxdev(t *testing.T) {
	t.Parallel()
	p, _ := newMxProject(t)
	p.files["backend/mx.ini"] = mxMain
	p.files["shared/more.cfg"] += "extras = sub\nsubdirectory = src\n\n[at.hand]\nvcs = fs\nurl = at.hand\n\n[skipped]\nvcs = fs\nurl = skipped\ninstall-mode = skip\n\n[unused]\nurl = nowhere\nuse = false\n"
	for _, name := range []string{"src-of-others/Toy.Kit", "sources/at.hand", "sources/skipped"} {
		p.files["backend/"+name+"/here"] = ""
	}
	p.files["backend/requirements.txt"] += "at.hand\nskipped\nunused==1\n"
	p.write()
	read := func() string {
		t.Helper()
		var lines []string
		for _, name := range []string{"requirements-mxdev.txt", "constraints-mxdev.txt"} {
			text, err := os.ReadFile(p.repo + "/backend/" + name)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(text)) {
				if line, _, _ = strings.Cut(line, "#"); strings.TrimSpace(line) != "" {
					lines = append(lines, name+": "+strings.TrimSpace(line))
				}
			}
		}
		slices.Sort(lines)
		return strings.Join(lines, "\n")
	}
	script, err := filepath.Abs("../templates/builders/mx-ini")
	if err != nil {
		t.Fatal(err)
	}
	output(t, "", "/usr/bin/python3", "-I", script, "requirements", p.repo, "backend")
	ours := read()
	output(t, p.repo+"/backend", "env", p.uv, "tool", "run", "-q", "--from", "mxdev==5.4.1", "mxdev", "-s", "--no-fetch")
	if theirs := read(); ours != theirs || !strings.Contains(ours, "-e ./sources/at.hand") {
		t.Errorf("plonec's:\n%s\nmxdev's:\n%s", ours, theirs)
	}
}

// What cannot be had says which source it is and what to do; nothing is fetched that is not
// git's, and no file from the net.
func TestMxIniRefuses(t *testing.T) {
	t.Parallel()
	p, _ := newMxProject(t)
	fits := p.files
	h, a, _ := uvHost(t, p, 204)
	scripts := hostScripts(t)
	source := "[settings]\nmain-package = .\n[kit]\nurl = "
	for _, c := range []struct {
		ini  string
		want []string
	}{
		{source + p.root + "/toy.kit\nbranch = other\n", []string{"the source kit (" + p.root + "/toy.kit) of backend/mx.ini has no branch or tag other", "give a commit in full as rev"}},
		{source + p.root + "/toy.kit\nrev = abc1234\n", []string{"has no branch or tag abc1234"}},
		{source + p.root + "/nowhere\n", []string{"the source kit (" + p.root + "/nowhere) of backend/mx.ini cannot be fetched", "see git's output above"}},
		{source + "git@127.0.0.1:kit.git\n", []string{"the source kit (git@127.0.0.1:kit.git) of backend/mx.ini needs a key", "deploy.site.scm.ssh_key"}},
		{source + "http://me:secret@127.0.0.1:9/kit.git\n", []string{"the source kit (http://127.0.0.1:9/kit.git) of backend/mx.ini cannot be fetched", "the server of the app's own repository alone"}},
		{source + "x\nvcs = svn\n", []string{"mx.ini: [kit] is kept by svn: plonec fetches sources from git alone", "backend/mx.ini cannot be used"}},
		{source + "x\ntarget = ../..\n", []string{"mx.ini: [kit]: its target lies outside of the project"}},
		{source + "--upload-pack=x\n", []string{"mx.ini: [kit]: plonec cannot read its url"}},
		{source + "http://me:secret@127.0.0.1:9/${nothing:here}\n", []string{"mx.ini: [kit] url refers to an option that is not there, or to itself, or has a $ without one: write ${SECTION:OPTION}, or $$ for a $"}},
		{source + "http://me:secret@127.0.0.1:9/$x\n", []string{"mx.ini: [kit] url refers to an option that is not there"}},
		{"[settings]\ninclude = https://me:secret@example.org/mx.ini\n", []string{"mx.ini includes https://example.org/mx.ini from the net: put that file into the repository"}},
		{"[settings]\ninclude = gone.ini\n", []string{"gone.ini, which mx.ini includes, is not in the repository"}},
		{"[settings]\ninclude = /dev/null\n", []string{"/dev/null, which mx.ini includes, is not in the repository"}},
		{"[settings]\ninclude = ../../beside.ini\n", []string{"../../beside.ini, which mx.ini includes, is not in the repository"}},
		{"[settings]\nmain-package = -e .\nrequirements-in = ../../beside.txt\n", []string{"../../beside.txt, which mx.ini names, is not in the repository"}},
		{"[settings]\ninclude = mx.ini\n", []string{"mx.ini includes itself"}},
		{"; a comment\n[settings]\nmain-package = -e .\nrequirements-in = gone.txt\n", []string{"the commit has no gone.txt, from which mx.ini takes versions", "-c constraints.txt"}},
		{"no section\n", []string{"mx.ini: File contains no section headers"}},
	} {
		p.files = maps.Clone(fits)
		p.files["backend/mx.ini"] = c.ini
		for _, dir := range []string{"releases", "shared/tmp"} { // beside the release, and where its commit is looked at
			dir = p.root + "/srv/www/site/" + dir
			if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(dir+"/beside.ini", []byte("[settings]\nmain-package = -e .\n"), 0o644), os.WriteFile(dir+"/beside.txt", []byte("toy.kit\n"), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		_, said, err := p.build(scripts, h, a, "20260101000000")
		if err == nil {
			t.Errorf("%q: a release was made", c.ini)
		}
		for _, want := range c.want {
			if !strings.Contains(said, want) {
				t.Errorf("%q: no %q in\n%s", c.ini, want, said)
			}
		}
		if strings.Contains(said, "secret") {
			t.Errorf("%q: a password is shown:\n%s", c.ini, said)
		}
		os.RemoveAll(p.root + "/srv/www/site/releases")
		os.RemoveAll(p.root + "/var/lib/plonec/site/releases")
	}
}
