//go:build judges

// Package judges names what go.mod is to hold besides what the programs below import; nothing of it is built but those.
package judges

import (
	_ "github.com/summerwind/h2spec/cmd/h2spec"
	_ "github.com/summerwind/h2spec/cmd/h2specd"
)
