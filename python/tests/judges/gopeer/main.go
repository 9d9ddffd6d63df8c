// Command gopeer is a server and a client of HTTP made of Go's net/http and of quic-go, for pabal to be tested with.
//
//	gopeer serve -cert chain.pem -key key.pem
//	gopeer ask -version 3 -ca ca.pem -times 100 https://127.0.0.1:8443/price
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) < 2 {
		fail(fmt.Errorf("say serve or ask"))
	}
	switch os.Args[1] {
	case "serve":
		serve(os.Args[2:])
	case "ask":
		ask(os.Args[2:])
	default:
		fail(fmt.Errorf("%q is neither serve nor ask", os.Args[1]))
	}
}

// fail ends the program: nothing here can go on after an error.
func fail(err error) {
	fmt.Fprintln(os.Stderr, "gopeer:", err)
	os.Exit(1)
}
