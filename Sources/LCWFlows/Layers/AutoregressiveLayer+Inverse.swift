// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

// The inverse is sequential in the coordinates, but each hidden unit is needed once only: as soon
// as the coordinates it sees are known. So coordinates are solved for panel by panel and, within,
// block by block; what earlier ones contribute comes from matrix products, and the rest from a
// kernel whose values stay in the first-level cache.

extension AutoregressiveLayer {
  /// A panel's coordinates and units.
  private struct Panel {
    var coordinates: Range<Int>
    var units: Range<Int>
    var blocks: [Block]
    /// The columns of a tensor for the units, which is never empty.
    var scratchUnits: Int { max(1, units.count) }
  }

  /// A block's coordinates and units, and its kernel.
  private struct Block {
    var coordinates: Range<Int>
    var units: Range<Int>
    var kernel: BlockKernel
  }

  // Rows depend on each other's rounding, column after column: always as exact as it can be.
  func inverse(
    _ rows: inout Tensor, _ parameters: [Tensor], precision: MatrixPrecision
  ) -> LayerRecord {
    rows.reverseColumns()
    let height = rows.shape.rows
    let hidden = network.matrices[0].rows
    var values = (0..<network.depth).map { _ in Tensor(unspecified: [height, hidden]) }
    var outputs = Tensor(unspecified: [height, 2 * dimension])
    for (index, panel) in panels(parameters).enumerated() {
      solve(panel, at: index, &rows, &values, &outputs, parameters)
    }
    return LayerRecord(input: rows, hidden: values, outputs: outputs)
  }

  private func solve(
    _ panel: Panel, at index: Int, _ rows: inout Tensor, _ values: inout [Tensor],
    _ outputs: inout Tensor, _ parameters: [Tensor]
  ) {
    let height = rows.shape.rows
    let (c0, u0) = (panel.coordinates.lowerBound, panel.units.lowerBound)
    // What earlier panels contribute.
    var units: [Tensor] = (0..<network.depth).map { layer in
      var sums = Tensor(unspecified: [height, panel.scratchUnits])
      let (below, known) = layer == 0 ? (rows, c0) : (values[layer - 1], u0)
      sums.assignProduct(
        below.matrix(columns: 0..<known),
        parameters[network.place(of: layer).lowerBound + index].transposed(columns: 0..<known),
        columns: 0..<panel.units.count)
      return sums
    }
    let last = parameters[network.place(of: network.depth).lowerBound + index]
    var results = Tensor(unspecified: [height, 2 * panel.coordinates.count])
    results.assignProduct(
      values[network.depth - 1].matrix(columns: 0..<u0), last.transposed(columns: 0..<u0))
    for block in panel.blocks {
      let (own, ownUnits) = (block.coordinates, block.units)
      let (unit, output) = (ownUnits.lowerBound - u0, 2 * (own.lowerBound - c0))
      let blockUnits = unit..<unit + ownUnits.count
      let blockOutputs = output..<output + 2 * own.count
      // What earlier blocks of the panel contribute.
      for layer in 0..<network.depth where own.lowerBound > c0 {
        let weights = parameters[network.place(of: layer).lowerBound + index]
        let columns = layer == 0 ? c0..<own.lowerBound : u0..<ownUnits.lowerBound
        let product =
          layer == 0
          ? rows.matrix(columns: columns) : units[layer - 1].matrix(columns: 0..<unit)
        units[layer].assignProduct(
          product, weights.transposed(rows: blockUnits, columns: columns), beta: 1,
          columns: blockUnits)
      }
      if own.lowerBound > c0 {
        results.assignProduct(
          units[network.depth - 1].matrix(columns: 0..<unit),
          last.transposed(rows: blockOutputs, columns: u0..<ownUnits.lowerBound), beta: 1,
          columns: blockOutputs)
      }
      block.kernel.solve(
        &rows, column: own.lowerBound, hidden: &units, unit: unit, outputs: &results,
        output: output)
    }
    for layer in values.indices {
      values[layer].assignColumns(from: u0, of: units[layer], columns: 0..<panel.units.count)
    }
    outputs.assignColumns(from: 2 * c0, of: results, columns: 0..<2 * panel.coordinates.count)
  }

  func inverseBackward(
    _ gradient: inout Tensor, record: inout LayerRecord, _ parameters: [Tensor]
  ) {
    record.units = record.hidden.map { Tensor(unspecified: $0.shape) }
    for (index, panel) in panels(parameters).enumerated().reversed() {
      solveTransposed(panel, at: index, &gradient, &record, parameters)
    }
    gradient.reverseColumns()
  }

  private func solveTransposed(
    _ panel: Panel, at index: Int, _ gradient: inout Tensor, _ record: inout LayerRecord,
    _ parameters: [Tensor]
  ) {
    let height = gradient.shape.rows
    let (c0, u0, depth) = (panel.coordinates.lowerBound, panel.units.lowerBound, network.depth)
    // What later panels contribute to the coordinates, and to each layer's units.
    for later in index + 1..<network.matrices[0].panels.count {
      gradient.assignProduct(
        record.units[0].matrix(columns: network.matrices[0].panels[later].rows),
        parameters[later].matrix(columns: panel.coordinates), alpha: -1, beta: 1,
        columns: panel.coordinates)
    }
    var units = (0..<depth).map { layer in
      var sums = Tensor(zeros: [height, panel.scratchUnits])
      let above = network.matrices[layer + 1]
      for later in index + 1..<above.panels.count {
        sums.assignProduct(
          (layer + 1 == depth ? record.outputs : record.units[layer + 1])
            .matrix(columns: above.panels[later].rows),
          parameters[network.place(of: layer + 1).lowerBound + later]
            .matrix(columns: panel.units), beta: 1, columns: 0..<panel.units.count)
      }
      return sums
    }
    var results = record.outputs.columns(2 * c0..<2 * panel.coordinates.upperBound)
    for block in panel.blocks.reversed() {
      let (own, ownUnits) = (block.coordinates, block.units)
      let (unit, output) = (ownUnits.lowerBound - u0, 2 * (own.lowerBound - c0))
      let blockUnits = unit..<unit + ownUnits.count
      let laterUnits = blockUnits.upperBound..<panel.units.count
      let laterOutputs = output + 2 * own.count..<2 * panel.coordinates.count
      if own.upperBound < panel.coordinates.upperBound {
        // What later blocks of the panel contribute.
        for layer in (0..<depth).reversed() {
          let above =
            layer + 1 == depth
            ? results.matrix(columns: laterOutputs) : units[layer + 1].matrix(columns: laterUnits)
          units[layer].assignProduct(
            above,
            parameters[network.place(of: layer + 1).lowerBound + index].matrix(
              rows: layer + 1 == depth ? laterOutputs : laterUnits, columns: ownUnits),
            beta: 1, columns: blockUnits)
        }
        gradient.assignProduct(
          units[0].matrix(columns: laterUnits),
          parameters[index].matrix(rows: laterUnits, columns: own), alpha: -1, beta: 1,
          columns: own)
      }
      block.kernel.solveTransposed(
        &gradient, result: record.input, column: own.lowerBound, unitGradients: &units,
        unit: unit, hidden: record.hidden, hiddenUnit: ownUnits.lowerBound, outputs: &results,
        output: output)
    }
    for layer in 0..<depth {
      record.units[layer].assignColumns(
        from: u0, of: units[layer], columns: 0..<panel.units.count)
    }
    record.outputs.assignColumns(
      from: 2 * c0, of: results, columns: 0..<2 * panel.coordinates.count)
  }

  // MARK: Panels and blocks

  private func panels(_ parameters: [Tensor]) -> [Panel] {
    stride(from: 0, to: dimension, by: Self.panel).enumerated().map { index, start in
      let end = min(start + Self.panel, dimension)
      let blocks = stride(from: start, to: end, by: Self.block).map { first in
        block(first..<min(first + Self.block, end), ofPanel: index, parameters)
      }
      return Panel(
        coordinates: start..<end, units: unitsUpTo[start]..<unitsUpTo[end], blocks: blocks)
    }
  }

  private func block(
    _ coordinates: Range<Int>, ofPanel panel: Int, _ parameters: [Tensor]
  ) -> Block {
    let units = unitsUpTo[coordinates.lowerBound]..<unitsUpTo[coordinates.upperBound]
    let start = panel * Self.panel
    var weights: [Float] = []
    for layer in 0...network.depth {
      let place = network.place(of: layer)
      let isLast = layer == network.depth
      let first = isLast ? 2 * start : unitsUpTo[start]
      let rows =
        isLast ? 2 * coordinates.lowerBound..<2 * coordinates.upperBound : units
      let columns = layer == 0 ? coordinates : units
      for row in rows {
        let values = parameters[place.lowerBound + panel].row(row - first)
        weights +=
          values[values.startIndex + columns.lowerBound..<values.startIndex + columns.upperBound]
      }
      weights += parameters[place.upperBound].elements[rows]
    }
    let known = (coordinates.lowerBound...coordinates.upperBound).map {
      unitsUpTo[$0] - units.lowerBound
    }
    return Block(
      coordinates: coordinates, units: units,
      kernel: BlockKernel(
        layers: network.depth, known: known, weights: weights, bound: affine.bound))
  }
}
