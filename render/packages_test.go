package render

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plonec/plonec/schema"
)

// wheels fetches from this machine's index what a release with buildout is made of, once
// for all tests, and makes a package that is on no index.
func wheels(t *testing.T) string {
	t.Helper()
	python, err := venv()
	if err != nil {
		t.Fatalf("testdata/python/setup: %v", err)
	}
	dir, source := t.TempDir(), t.TempDir()
	for name, text := range pythonPackage("only_here") {
		path := filepath.Join(source, name)
		os.MkdirAll(filepath.Dir(path), 0o755)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"download", "-q", "--only-binary=:all:", "-d", dir, "zc.buildout==5.2.0", "zc.recipe.egg==4.0.0", "setuptools<82", "wheel", "pip"},
		{"wheel", "-q", "--no-deps", "-w", dir, source},
	} {
		if out, err := exec.Command(python+"/bin/python", append([]string{"-m", "pip"}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("pip %s: %v\n%s", args, err, out)
		}
	}
	return dir
}

// An index serves a folder of wheels by the simple API, by TLS with a certificate that
// nobody believes who was not told so.
type index struct {
	*httptest.Server
	authority string // the file of the certificate to believe
	mu        sync.Mutex
	asked     []string // the projects, and the programs that asked for them
	agents    []string
}

func newIndex(t *testing.T, dir string) *index {
	t.Helper()
	x := &index{}
	x.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x.mu.Lock()
		x.asked = append(x.asked, strings.Trim(strings.TrimPrefix(r.URL.Path, "/simple"), "/"))
		x.agents = append(x.agents, r.UserAgent())
		x.mu.Unlock()
		if file, found := strings.CutPrefix(r.URL.Path, "/files/"); found {
			http.ServeFile(w, r, dir+"/"+filepath.Base(file))
			return
		}
		plain := func(name string) string {
			return strings.NewReplacer("_", "-", ".", "-").Replace(strings.ToLower(name))
		}
		files, _ := filepath.Glob(dir + "/*.whl")
		found := false
		w.Header().Set("Content-Type", "text/html")
		for _, file := range files {
			name := filepath.Base(file)
			project, _, _ := strings.Cut(name, "-")
			if "/simple/"+plain(project)+"/" == plain(r.URL.Path) {
				found = true
				w.Write([]byte("<a href=\"/files/" + name + "\">" + name + "</a>\n"))
			}
		}
		if !found {
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	x.authority = filepath.Join(t.TempDir(), "ca.pem")
	x.TLS = &tls.Config{Certificates: []tls.Certificate{issued(t, x.authority)}}
	x.StartTLS()
	t.Cleanup(x.Close)
	return x
}

// issued is a certificate for the loopback, of an authority whose own is written to a file.
func issued(t *testing.T, authority string) tls.Certificate {
	t.Helper()
	keys := [2]*ecdsa.PrivateKey{}
	for i := range keys {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		keys[i] = key
	}
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a company's"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	own := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "index"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	root, err := x509.CreateCertificate(rand.Reader, ca, ca, &keys[0].PublicKey, keys[0])
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.CreateCertificate(rand.Reader, own, ca, &keys[1].PublicKey, keys[0])
	if err == nil {
		err = os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root}), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{leaf}, PrivateKey: keys[1]}
}

// TestBuildoutOfItsOwn: a repository that asks for no zc.buildout gets one that starts, with
// the setuptools that it takes: 3.0.1 none from 80.3 on, 5.2.0 none from 82 on, 6.0.1 any.
func TestBuildoutOfItsOwn(t *testing.T) {
	t.Parallel()
	repo := t.TempDir()
	commit := repository(t, repo, map[string]string{"buildout.cfg": "[buildout]\nparts =\n"})
	for version, recent := range map[string]bool{"3.0.1": false, "5.2.0": false, "6.0.1": true} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			s := newSourcesHost(t, "uv", func(c *schema.App) {
				c.SCM = schema.SCM{Type: "git", Repository: repo, Revision: "main"}
				c.Environment = nil
				c.BuildoutVersion = version
			})
			if out, err := s.build(commit); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			has := func(text string) bool {
				found, err := filepath.Glob(s.release + "/.venv/lib/python*/site-packages/" + text)
				return err == nil && len(found) == 1
			}
			if !has("zc[._]buildout-" + version + ".dist-info") {
				t.Error("it has another zc.buildout")
			}
			if has("pkg_resources") == recent { // the last setuptools with it is 81
				t.Errorf("zc.buildout %s and pkg_resources: %v", version, !recent)
			}
		})
	}
}

// TestIndex: pip, uv and buildout take packages from the index that the stack says and
// believe whose certificate the system does, or take them from folders alone.
func TestIndex(t *testing.T) {
	t.Parallel()
	dir := wheels(t)
	repo := t.TempDir()
	commit := repository(t, repo, map[string]string{
		"requirements.txt": "zc.buildout==5.2.0\nzc.recipe.egg==4.0.0\nsetuptools<82\nwheel\npip\n",
		// The egg is buildout's to find.
		"buildout.cfg": "[buildout]\nparts = python\n[python]\nrecipe = zc.recipe.egg\neggs = only_here\ninterpreter = py\n",
	})
	for _, installer := range []string{"uv", "pip"} {
		for _, offline := range []bool{false, true} {
			t.Run(installer+map[bool]string{true: " offline"}[offline], func(t *testing.T) {
				t.Parallel()
				x := newIndex(t, dir)
				s := newSourcesHost(t, installer, func(c *schema.App) {
					c.SCM = schema.SCM{Type: "git", Repository: repo, Revision: "main"}
					c.Environment = nil
					c.Index = schema.Index{URL: x.URL + "/simple/"}
					if offline {
						c.Index = schema.Index{URL: x.URL + "/simple/", FindLinks: []string{dir}, Offline: true}
					}
				})
				// Nothing of what this machine has fetched.
				os.Remove(s.deployTo + "/shared/uv-cache")
				s.write(s.root+"/etc/environment", "# of the host\nSSL_CERT_FILE=\""+x.authority+"\"\nexport REQUESTS_CA_BUNDLE="+x.authority+"\nPATH=/nowhere\n")
				out, err := s.build(commit)
				if err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
				if out := output(t, s.release, "bin/py", "-c", "import only_here"); out != "this is only_here\n" {
					t.Error(out)
				}
				x.mu.Lock()
				defer x.mu.Unlock()
				switch {
				case offline && len(x.asked) > 0:
					t.Errorf("the index was asked for %q by %q", x.asked, x.agents)
				case !offline && (!slices.Contains(x.asked, "zc-buildout") || !slices.ContainsFunc(x.asked, func(name string) bool { return strings.HasPrefix(name, "only") })):
					t.Errorf("the index was asked for %q alone", x.asked)
				}
			})
		}
	}
	t.Run("not all is there", func(t *testing.T) {
		t.Parallel()
		s := newSourcesHost(t, "uv", func(c *schema.App) {
			c.SCM = schema.SCM{Type: "git", Repository: repo, Revision: "main"}
			c.Index = schema.Index{FindLinks: []string{t.TempDir()}, Offline: true}
		})
		out, err := s.build(commit)
		if err == nil || !strings.Contains(out, "the wheels here do not cover all that site needs, and deploy.site.index.offline forbids using an index") {
			t.Errorf("%v\n%s", err, out)
		}
	})
}
