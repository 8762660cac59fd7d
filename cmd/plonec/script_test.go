package main

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/internal/native"
)

var update = flag.Bool("update", false, "rewrite the goldens and the scripts' expected output")

func TestMain(m *testing.M) {
	input.RunChild()
	native.RunChild()
	switch os.Getenv("PLONEC_BENCH") {
	case "plonec":
		main()
	case "cue":
		bareCUE(os.Args[1])
		os.Exit(0)
	}
	testscript.Main(m, map[string]func(){"plonec": main})
}

// The command line, as its users see it: testdata/script/COMMAND_topic.txtar.
func TestScripts(t *testing.T) {
	examples, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	cache := os.Getenv("PLONEC_TEST_CACHE")
	if cache == "" {
		cache = filepath.Join(examples, "../../.cache")
	}
	testscript.Run(t, testscript.Params{
		Dir:           "../../testdata/script",
		UpdateScripts: *update,
		Setup: func(e *testscript.Env) error {
			e.Setenv("EXAMPLES", examples+"/../../examples")
			e.Setenv("XDG_CACHE_HOME", cache) // where check --buildout has its virtualenvs
			return nil
		},
	})
}
