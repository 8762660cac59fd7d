package render

import (
	"archive/zip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// wheel writes a package uv whose program prints its version, and whose wheel it is.
func wheel(t *testing.T, path, version, whose string) {
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
		{"uv.py", "def main():\n    print('uv " + version + whose + "')\n"},
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

// pinnedUv is the version of uv that setup installs.
func pinnedUv(t *testing.T) string {
	t.Helper()
	script, err := os.ReadFile("../templates/host/verbs/setup")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^readonly UV_VERSION=([0-9.]+)$`).FindSubmatch(script)
	if found == nil {
		t.Fatal("setup pins no uv")
	}
	return string(found[1])
}

// older puts a uv of before there.
func older(t *testing.T, dir string) {
	t.Helper()
	err := os.MkdirAll(dir+"/bin", 0o755)
	if err == nil {
		err = os.WriteFile(dir+"/bin/uv", []byte("#!/bin/sh\necho 'uv 0.0.1 (a system)'\n"), 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestSetupTakesUvFromRoot: setup runs as root, and takes uv from wheels that
// root brought, never from those of an app, nor from those that others may
// change; nor does it run what lies in the folder that it is called from.
func TestSetupTakesUvFromRoot(t *testing.T) {
	t.Parallel()
	me, group := tester(t)
	pin := pinnedUv(t)
	taken, none := "uv "+pin+"\n", "uv "+pin+" could not be installed: deploys take pip"
	for _, test := range []struct { // each makes a virtualenv, which takes its time
		name  string
		roots func(dir string) // makes what lies in /var/cache/plonec/wheels
		want  string           // of uv, or of setup
	}{
		{"root's, and another version", func(dir string) { wheel(t, dir+"/uv-9999-py3-none-any.whl", "9999", "") }, taken},
		{"a wheel that is a link", func(dir string) {
			name := "/uv-" + pin + "-py3-none-any.whl"
			os.Rename(dir+name, filepath.Dir(dir)+"/w")
			os.Symlink("../w", dir+name)
		}, none},
		// What a host has is renewed, and kept where that cannot be.
		{"an older one is here", func(dir string) { older(t, filepath.Dir(dir)+"/../../../opt/plonec/uv") }, taken},
		{"an older one is here, and none of root's", func(dir string) {
			older(t, filepath.Dir(dir)+"/../../../opt/plonec/uv")
			os.RemoveAll(dir)
		}, "uv " + pin + " could not be installed: deploys take uv 0.0.1, which is here"},
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
			wheel(t, wheels+"/uv-"+pin+"-py3-none-any.whl", pin, "")
			test.roots(wheels)
			wheel(t, c.DeployTo+"/shared/wheels/uv-"+pin+"-1-py3-none-any.whl", pin, " of the app")
			folder := root + "/home"
			wheel(t, folder+"/uv-"+pin+"-2-py3-none-any.whl", pin, " of the folder")
			// The index cannot be reached, but by the proxy that the system names.
			if err := os.WriteFile(root+"/etc/environment", []byte("https_proxy=http://127.0.0.1:1\nHTTPS_PROXY=http://127.0.0.1:1\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(folder+"/venv.py", []byte("open('was-run', 'w')\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(scripts+"/host", "setup")
			cmd.Dir = folder
			cmd.Env = append(os.Environ(), "PLONEC_ROOT="+root, "PIP_FIND_LINKS="+c.DeployTo+"/shared/wheels")
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
