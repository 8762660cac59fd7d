package native

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/plonec/plonec/internal/apart"
)

// childEnv is set where this program was started in a room, to ask there.
const childEnv = "PLONEC_NATIVE"

// RunChild makes a room or asks in it, and ends the process, where the process was
// started for that; it returns at once elsewhere. It must be among the first calls of
// main and of TestMain.
func RunChild() {
	apart.RunChild()
	if os.Getenv(childEnv) == "" {
		return
	}
	if err := judgeChild(); err != nil {
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

// room is where the programs are asked.
func room() *apart.Room {
	r := &apart.Room{Program: []string{apart.Self}, Env: []string{childEnv + "=1"}}
	for _, c := range checkers {
		r.Files, r.Links, r.Own = append(r.Files, c.files...), append(r.Links, c.links...), append(r.Own, c.own...)
		r.Users = append(r.Users, c.users...)
	}
	return r
}

// judgeApart asks where nothing of this machine is seen. The error is why it
// cannot.
func judgeApart(questions []question) ([]Result, error) {
	asked, err := json.Marshal(questions)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(1+len(questions))*deadline)
	defer cancel()
	said, err := apart.Run(ctx, room(), asked, maxAnswers)
	if err != nil {
		return nil, err
	}
	var answers []Result
	if err := json.Unmarshal(said, &answers); err != nil || len(answers) != len(questions) {
		return nil, errors.New("what asks them gave no answer")
	}
	return answers, nil
}

// maxAnswers bounds what the programs say, in bytes.
const maxAnswers = 64 << 20
