package render

import (
	"archive/zip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// wheel writes a package uv whose program prints its version.
func wheel(t *testing.T, path, version string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	z := zip.NewWriter(file)
	info := "uv-" + version + ".dist-info/"
	for _, part := range [][2]string{
		{"uv.py", "def main():\n    print('uv " + version + "')\n"},
		{info + "METADATA", "Metadata-Version: 2.1\nName: uv\nVersion: " + version + "\n"},
		{info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
		{info + "entry_points.txt", "[console_scripts]\nuv = uv:main\n"},
		{info + "RECORD", ""},
	} {
		w, err := z.Create(part[0])
		if err == nil {
			_, err = w.Write([]byte(part[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestSetupTakesUvFromRoot: setup runs as root, and takes uv from wheels that
// root brought, never from those of an app, nor from those that others may
// change; nor does it run what lies in the folder that it is called from.
func TestSetupTakesUvFromRoot(t *testing.T) {
	t.Parallel()
	me, group := tester(t)
	const taken, none = "uv 1\n", "uv could not be installed: deploys take pip"
	for _, test := range []struct { // each makes a virtualenv, which takes its time
		name  string
		roots func(dir string) // makes what lies in /var/cache/plonec/wheels
		want  string           // of uv, or of setup
	}{
		{"root's", func(dir string) {}, taken},
		{"none of root's", func(dir string) { os.RemoveAll(dir) }, none},
		{"a wheel that is a link", func(dir string) {
			os.Rename(dir+"/uv-1-py3-none-any.whl", filepath.Dir(dir)+"/w")
			os.Symlink("../w", dir+"/uv-1-py3-none-any.whl")
		}, none},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			root, scripts := t.TempDir(), hostScripts(t)
			h := processHost()
			c := h.Apps[0].Config
			c.DeployTo, c.Home, c.User, c.Group, c.PythonMajorVersion = root+"/srv/www/site", root+"/home", me.Username, group.Name, ""
			h.Apps[0].Zeo, h.Stack.PloneBlobs.BlobDir = nil, ""
			for _, name := range []string{"site/app.conf", "site/build.conf", "site/app.env"} {
				path := root + "/etc/plonec/" + name
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(content(t, h, "/etc/plonec/"+name)), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			// No packages: this machine keeps its own.
			if err := os.WriteFile(root+"/etc/plonec/host.env", []byte("HOST='app1'\nAPPS='site'\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			wheels := root + "/var/cache/plonec/wheels"
			wheel(t, wheels+"/uv-1-py3-none-any.whl", "1")
			test.roots(wheels)
			wheel(t, c.DeployTo+"/shared/wheels/uv-2-py3-none-any.whl", "2")
			folder := root + "/home"
			wheel(t, folder+"/uv-3-py3-none-any.whl", "3")
			if err := os.WriteFile(folder+"/venv.py", []byte("open('was-run', 'w')\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(scripts+"/host", "setup")
			cmd.Dir = folder
			cmd.Env = append(os.Environ(), "PLONEC_ROOT="+root, "PIP_NO_INDEX=1", "PIP_DISABLE_PIP_VERSION_CHECK=1")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			said, _ := exec.Command(root + "/opt/plonec/uv/bin/uv").Output()
			if got := string(said) + string(out); !strings.Contains(got, test.want) || test.want == none && len(said) > 0 {
				t.Errorf("no %q in\n%s", test.want, got)
			}
			if _, err := os.Stat(folder + "/was-run"); err == nil {
				t.Error("a file of the folder that setup is called from was run")
			}
		})
	}
}
