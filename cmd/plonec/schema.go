package main

import (
	"github.com/spf13/cobra"

	"github.com/plonec/plonec/schema"
)

func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "the JSON Schema of a stack, for editors",
		Long: `Schema prints a JSON Schema (2020-12) of the stack: every attribute with its
documentation, type, range and default. An editor that has it completes keys,
explains them and marks mistakes while a stack is written in JSON. What depends
on several attributes is left to plonec check. "$schema" may stand in a stack.`,
		Example: `  plonec schema > stack.schema.json`,
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := c.OutOrStdout().Write(schema.JSONSchema())
			return err
		},
	}
}
