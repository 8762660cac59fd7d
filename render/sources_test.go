package render

import (
	"fmt"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/plonec/plonec/internal/sshdtest"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

// reached is the environment by which an app here gets to the index that this machine has.
func reached() map[string]schema.EnvValue {
	values := map[string]schema.EnvValue{"LANG": {Text: "C.UTF-8"}}
	for _, name := range []string{"SSL_CERT_FILE", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "HTTPS_PROXY", "https_proxy"} {
		if value := os.Getenv(name); value != "" {
			values[name] = schema.EnvValue{Text: value}
		}
	}
	return values
}

// repository makes a git repository of files, and gives its commit.
func repository(t *testing.T, dir string, files map[string]string) string {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if err == nil {
			err = os.WriteFile(path, []byte(text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	inGit(t, dir, "init", "-q", "-b", "main")
	return commitAll(t, dir)
}

func commitAll(t *testing.T, dir string) string {
	t.Helper()
	inGit(t, dir, "add", "-A")
	inGit(t, dir, "commit", "-q", "-m", "one")
	return inGit(t, dir, "rev-parse", "HEAD")
}

func inGit(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program(t, "git"), append([]string{"-C", dir, "-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// pythonPackage are the files of a package that is built without an index.
func pythonPackage(name string) map[string]string {
	return map[string]string{
		"setup.py":          fmt.Sprintf("from setuptools import setup\nsetup(name=%q, version='1.0', py_modules=[%q])\n", name, name),
		name + ".py":        fmt.Sprintf("print('this is %s')\n", name),
		"pyproject.toml":    "[build-system]\nrequires = ['setuptools<82']\nbuild-backend = 'setuptools.build_meta'\n",
		".gitignore":        "*.egg-info\n",
		"docs/not-a-module": "",
	}
}

// sshServer runs a real sshd for the tester's key alone, and gives its address and the key.
func sshServer(t *testing.T) (address, key string) {
	t.Helper()
	if os.Geteuid() == 0 {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil { // sshd wants it, though it is Debian's
			t.Fatal(err)
		}
	}
	s := sshdtest.Start(t, "AuthenticationMethods publickey\nPermitRootLogin prohibit-password")
	return fmt.Sprintf("127.0.0.1:%d", s.Port), s.Key
}

// A gitServer serves the repositories of a folder by http to whoever knows a user and
// a password.
type gitServer struct {
	*httptest.Server
	mu    sync.Mutex
	heard []string // what it was told by others, as user:password
}

func newGitServer(t *testing.T, dir, user, password string) *gitServer {
	t.Helper()
	backend := &cgi.Handler{
		Path: program(t, "git"), Args: []string{"http-backend"},
		Env: []string{"GIT_PROJECT_ROOT=" + dir, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"},
	}
	s := &gitServer{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u, p, told := r.BasicAuth()
		if told && (u != user || p != password) {
			s.mu.Lock()
			s.heard = append(s.heard, u+":"+p)
			s.mu.Unlock()
		}
		if !told || u != user || p != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		backend.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// A sourcesHost is a host on which the real scripts make a release of an app without
// processes.
type sourcesHost struct {
	*releasesHost
	release string
}

// newSourcesHost makes it; where is "uv" or "pip", what fills the virtualenv.
func newSourcesHost(t *testing.T, installer string, change func(*schema.App)) *sourcesHost {
	t.Helper()
	r := newReleasesHost(t, func(a *topology.App, _ string) {
		a.Config.Environment = reached()
		a.Plone.Buildout = "5.2.0"
		change(a.Config)
	})
	if installer == "uv" {
		lendUv(t, r.root)
	}
	r.write(r.root+"/etc/plonec/site/deploy.cfg", "[buildout]\nextends = buildout.cfg\n")
	return &sourcesHost{r, r.deployTo + "/releases/20260101000000"}
}

// key is the app's.
func (s *sourcesHost) key(file string) {
	s.t.Helper()
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(s.root+"/etc/plonec/site/deploy_key", text, 0o600)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// build makes the release, and gives what was said of it, the log too.
func (s *sourcesHost) build(commit string) (string, error) {
	cmd := exec.Command("/bin/bash", "-c", `LIB=$1; . "$LIB/lib.sh"; . "$LIB/source.sh"; load_host; load_app site
		CACHE=$DEPLOY_TO/shared/cached-copy; fetch_commit "$2"; mkdir -p "$DEPLOY_TO/releases/20260101000000"
		"$LIB/build" site 20260101000000 "$2" "$ROOT/log"`, "bash", s.scripts, commit)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "PLONEC_ROOT=" + s.root}
	out, err := cmd.CombinedOutput()
	log, _ := os.ReadFile(s.root + "/log")
	return string(out) + string(log), err
}

// TestPrivateSources: what uv, pip, buildout and git fetch of other repositories comes by
// the app's key, from an ssh server that takes no other, or by its password, from a server
// by http; another server is not told the password.
func TestPrivateSources(t *testing.T) {
	t.Parallel()
	address, key := sshServer(t)
	me, _ := tester(t)
	git := t.TempDir()
	for _, name := range []string{"by_requirement", "by_mr_developer", "by_password", "by_submodule"} {
		repository(t, git+"/"+name, pythonPackage(name))
	}
	password := newGitServer(t, git, "reader", "pass'word")
	other := newGitServer(t, git, "somebody", "else")
	ssh := "ssh://" + me.Username + "@" + address + git

	repository(t, git+"/main", map[string]string{
		"requirements.txt": "zc.buildout==5.2.0\nzc.recipe.egg==4.0.0\nsetuptools<80\nwheel\npip\nmr.developer==2.0.2\nsix\n" +
			"by_requirement @ git+" + ssh + "/by_requirement\n" +
			"by_password @ git+" + password.URL + "/by_password\n",
		"buildout.cfg": "[buildout]\nextensions = mr.developer\nauto-checkout = *\nparts = python\n" +
			"[sources]\nby_mr_developer = git " + ssh + "/by_mr_developer branch=main\n" +
			"[python]\nrecipe = zc.recipe.egg\neggs =\n    by_requirement\n    by_mr_developer\ninterpreter = py\n",
	})
	inGit(t, git+"/main", "-c", "protocol.file.allow=always", "submodule", "add", "-q", git+"/by_submodule", "vendored")
	inGit(t, git+"/main", "config", "-f", ".gitmodules", "submodule.vendored.url", ssh+"/by_submodule")
	commit := commitAll(t, git+"/main")

	for _, installer := range []string{"uv", "pip"} {
		t.Run(installer, func(t *testing.T) {
			t.Parallel()
			s := newSourcesHost(t, installer, func(c *schema.App) {
				c.SCM = schema.SCM{Type: "git", Repository: password.URL + "/main", Revision: "main", User: "reader"}
				c.EnableSubmodules = true
			})
			s.key(key)
			s.write(s.root+"/etc/plonec/site/scm.env", "SCM_PASSWORD=\"pass'word\"\n")
			if out, err := s.build(commit); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			for _, name := range []string{"by_requirement", "by_mr_developer"} {
				if out := output(t, s.release, "bin/py", "-c", "import "+name); out != "this is "+name+"\n" {
					t.Errorf("%s: %s", name, out)
				}
			}
			if out := output(t, s.release, ".venv/bin/python", "-c", "import by_password"); out != "this is by_password\n" {
				t.Error(out)
			}
			if _, err := os.Stat(s.release + "/vendored/by_submodule.py"); err != nil {
				t.Error(err)
			}
			// Nothing of that is written down where it stays.
			if out := output(t, s.release, "git", "config", "-l"); strings.Contains(out, "pass'word") {
				t.Error(out)
			}
		})
	}
	t.Run("another server", func(t *testing.T) {
		t.Parallel()
		strange := git + "/strange"
		strangeCommit := repository(t, strange, map[string]string{
			"requirements.txt": "by_password @ git+" + other.URL + "/by_password\n", "buildout.cfg": "[buildout]\nparts =\n",
		})
		s := newSourcesHost(t, "uv", func(c *schema.App) {
			c.SCM = schema.SCM{Type: "git", Repository: password.URL + "/strange", Revision: "main", User: "reader"}
		})
		s.write(s.root+"/etc/plonec/site/scm.env", "SCM_PASSWORD=\"pass'word\"\n")
		out, err := s.build(strangeCommit)
		if err == nil || !strings.Contains(out, other.URL+" is told no user and no password: those of the stack are for "+password.URL) {
			t.Errorf("%v\n%s", err, out)
		}
		other.mu.Lock()
		defer other.mu.Unlock()
		if slices.Contains(other.heard, "reader:pass'word") || len(other.heard) > 0 {
			t.Errorf("the other server was told %q", other.heard)
		}
	})
}

// TestLFS: files that a repository keeps by Git LFS are in the release, from wherever they
// are checked out, or nothing is, and that is said.
func TestLFS(t *testing.T) {
	t.Parallel()
	program(t, "git-lfs")
	repo := t.TempDir()
	inGit(t, repo, "init", "-q", "-b", "main")
	inGit(t, repo, "lfs", "install", "--local")
	commit := repository(t, repo, map[string]string{"deep/.gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n", "deep/data.bin": "the file itself"})
	if pointer := inGit(t, repo, "show", commit+":deep/data.bin"); !strings.HasPrefix(pointer, "version https://git-lfs") {
		t.Fatalf("this proves nothing: %s", pointer)
	}
	r := newReleasesHost(t, func(a *topology.App, _ string) {
		a.Config.SCM = schema.SCM{Type: "git", Repository: repo, Revision: "main"}
	})
	// without has the scripts and git find no git-lfs, as on a host that lacks it.
	const without = `command() { [[ "$*" != *git-lfs* ]] && builtin command "$@"; }; `
	checkout := func(prelude, release string) string {
		return r.bash(`CACHE=$DEPLOY_TO/shared/cached-copy; WORK_DIR=$DEPLOY_TO/releases/` + release + `; mkdir -p "$WORK_DIR"
			fetch_commit ` + commit + `; ` + prelude + `(checkout ` + commit + `) 2>&1 || true`)
	}
	for _, release := range []string{"1", "2"} {
		if said := checkout("", release); said != "" {
			t.Error(said)
		}
		if text, err := os.ReadFile(r.deployTo + "/releases/" + release + "/deep/data.bin"); err != nil || string(text) != "the file itself" {
			t.Errorf("%v: %s", err, text)
		}
		// A release holds no second copy, and the next one fetches nothing.
		if held, _ := filepath.Glob(r.deployTo + "/releases/" + release + "/.git/lfs/objects/*/*/*"); len(held) > 0 {
			t.Error(held)
		}
		if err := os.RemoveAll(repo + "/.git/lfs/objects"); err != nil {
			t.Fatal(err)
		}
	}
	contains(t, checkout(without, "3"), repo+" keeps files by Git LFS, and git-lfs is not installed\n        add \"git-lfs\" to deploy.site.os_packages")

	// What a buildout or pip checks out meets the same settings, with git alone in its path.
	tools := t.TempDir()
	for _, name := range []string{"git", "sh"} {
		if err := os.Symlink(program(t, name), tools+"/"+name); err != nil {
			t.Fatal(err)
		}
	}
	said := r.bash(`DEFAULTS=() SET=(); git_settings; env "${DEFAULTS[@]}" GIT_CONFIG_NOSYSTEM=1 HOME=/nonexistent PATH=` + tools + ` git clone -q ` + repo + ` ` + tools + `/clone 2>&1 || echo "status $?"`)
	if !strings.Contains(said, "git-lfs") || !strings.Contains(said, "status 128") {
		t.Errorf("without git-lfs: %s", said)
	}
}
