// SPDX-License-Identifier: Apache-2.0

// The plugins are linked by the package manifest; nothing here names one. Copy this file for a host
// of your own.
import LCWCommands

LCWCommand.runAsProgram()
