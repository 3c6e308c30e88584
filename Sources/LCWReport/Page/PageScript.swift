// SPDX-License-Identifier: Apache-2.0

/// A report's script: a click on a name in a chart's legend, or the enter key or space on it, hides and shows the
/// line; and what is folded is opened before the page is printed. The page reads the same without it, as where scripts are off.
enum PageScript {
  /// The script as it stands in its element. It has neither `&` nor `<`, which XML would read as markup.
  static let source = """

    addEventListener('beforeprint', () => {
      for (const part of document.querySelectorAll('details')) part.open = true;
    });
    for (const key of document.querySelectorAll('[data-key]')) {
      const figure = key.closest('figure');
      key.closest('svg').setAttribute('role', 'group');
      key.setAttribute('role', 'button');
      key.setAttribute('tabindex', '0');
      key.setAttribute('aria-pressed', 'true');
      const toggle = () => {
        const isShown = key.getAttribute('aria-pressed') !== 'true';
        const number = key.dataset.key;
        for (const twin of figure.querySelectorAll(`[data-key="${number}"]`))
          twin.setAttribute('aria-pressed', isShown);
        for (const part of figure.querySelectorAll(`[data-series="${number}"]`))
          part.style.display = isShown ? '' : 'none';
      };
      key.addEventListener('click', toggle);
      key.addEventListener('keydown', event => {
        if (!['Enter', ' '].includes(event.key)) return;
        event.preventDefault();
        toggle();
      });
    }

    """

  /// The only script that the page's policy lets run: the SHA-256 of the source, base64.
  static let digest = "K8agGWFhyxpLeqbiXjMXIA1zn4zGTJ4FO5qoo59zUXc="
}
