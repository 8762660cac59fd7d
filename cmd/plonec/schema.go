package main

import (
	"github.com/spf13/cobra"

	"github.com/plonec/plonec/schema"
)

func schemaCommand(v *verb, c *cobra.Command) {
	c.Short = "print the schema of a stack, for editors and for CUE"
	c.Long = `Schema prints a JSON Schema (2020-12) of the stack: every attribute with its
documentation, type, range and default. An editor that has it completes keys,
explains them and marks mistakes while a stack is written in JSON. What depends
on several attributes only plonec check judges. A stack may have the key "$schema".

With --format cue it prints the same attributes as one file of the CUE package
schema, which a stack in CUE imports from its own module.`
	c.Example = `  plonec schema > stack.schema.json
  mkdir -p schema && plonec schema --format cue > schema/schema.cue`
	c.RunE = func(c *cobra.Command, _ []string) error {
		print := map[string]func() []byte{"json": schema.JSONSchema, "cue": schema.CUE}[v.format]
		_, err := c.OutOrStdout().Write(print())
		return err
	}
}
