package native

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// A child of this program is started with one of these steps in childEnv, and
// with the program's own file in selfEnv.
const (
	childEnv  = "PLONEC_NATIVE"
	selfEnv   = "PLONEC_NATIVE_SELF"
	stepEnter = "enter" // makes what it is to see, and starts the next as nobody
	stepJudge = "judge" // asks there
)

// RunChild keeps the programs apart and asks them, and ends the process, where
// the process was started for that; it returns at once elsewhere. It must be
// among the first calls of main and of TestMain.
func RunChild() {
	var err error
	switch os.Getenv(childEnv) {
	case "":
		return
	case stepEnter:
		err = enter(os.Getenv(selfEnv))
	case stepJudge:
		err = judgeChild()
	default:
		err = errors.New("there is no such step")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// judgeChild reads questions and writes what came of them.
func judgeChild() error {
	var questions []question
	if err := json.NewDecoder(os.Stdin).Decode(&questions); err != nil {
		return err
	}
	answers, err := judge(questions)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(answers)
}

// judgeApart asks where nothing of this machine is seen. The error is why it
// cannot.
func judgeApart(questions []question) ([]Result, error) {
	attributes, err := apartAttributes()
	if err != nil {
		return nil, err
	}
	if os.Getenv(childEnv) != "" {
		return nil, errors.New("a child of plonec asked for a child")
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	asked, err := json.Marshal(questions)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(1+len(questions))*deadline)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, self)
	cmd.Args = os.Args[:1]
	cmd.Dir = "/"
	cmd.Env = []string{childEnv + "=" + stepEnter, selfEnv + "=" + self}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(asked), &stdout, &stderr
	cmd.SysProcAttr = attributes
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		if said := strings.TrimSpace(stderr.String()); said != "" {
			err = errors.New(said)
		}
		return nil, fmt.Errorf("no namespaces here: %w", err)
	}
	var answers []Result
	if err := json.Unmarshal(stdout.Bytes(), &answers); err != nil || len(answers) != len(questions) {
		return nil, errors.New("what asks them gave no answer")
	}
	return answers, nil
}
