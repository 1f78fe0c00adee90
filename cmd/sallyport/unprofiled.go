//go:build !profiled

package main

func profile() (stop func()) { return func() {} }
